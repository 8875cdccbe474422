use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::Timestamp;
use futures::TryStreamExt as _;
use http::HeaderValue;

use super::super::client::Setup;
use super::super::guard::World;
use super::super::peer::{Named, Peer, Step, world};
use super::super::{Roots, Target};
use super::*;

const LIMITS: Limits = Limits {
    bytes_max: 1_000,
    time_max: Millis::from_secs(60),
};
const FILE: Step = Step::Write(
    "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 4\r\ncontent-disposition: attachment; filename=\"a.png\"\r\n\r\nfile",
);

/// What is outside in these tests: one address of this machine. Its others are inside.
const OUTSIDE: &str = "127.0.0.1";
const INSIDE: [&str; 3] = ["127.0.0.2", "127.1.1.1", "::1"];

fn is_outside(address: IpAddr) -> bool {
    address.to_string() == OUTSIDE || (World::real().is_public)(address)
}

fn provider(world: World, roots: Roots) -> Client {
    let target = Target::parse("https://api.example/v1").unwrap();
    let setup = Setup {
        roots,
        ..Setup::new(target, Millis::from_secs(60))
    };
    Client::within(&setup, world).unwrap()
}

fn local(peer: &Peer) -> Client {
    let target = Target::parse(&peer.url("/v1")).unwrap();
    Client::new(&Setup::new(target, Millis::from_secs(60))).unwrap()
}

async fn whole(fetched: Result<Fetched, FetchError>) -> Result<String, FetchError> {
    let pieces: Result<Vec<bytes::Bytes>, _> = fetched?.content.try_collect().await;
    let pieces = pieces.map_err(|error| FetchError::Later(format!("{:?}", error.kind())))?;
    Ok(String::from_utf8(pieces.concat()).unwrap())
}

fn gone<T>(outcome: &Result<T, FetchError>) -> bool {
    matches!(outcome, Err(FetchError::Gone(_)))
}

fn later<T>(outcome: &Result<T, FetchError>) -> bool {
    matches!(outcome, Err(FetchError::Later(_)))
}

/// Listens at every address of this machine that a trick could lead to.
async fn everywhere() -> (u16, Vec<Peer>) {
    let first = Peer::at("0.0.0.0:0".parse().unwrap(), None, vec![vec![]]).await;
    let port = first.address.port();
    let other = SocketAddr::new("::1".parse().unwrap(), port);
    (port, vec![first, Peer::at(other, None, vec![vec![]]).await])
}

/// Writings of an address that must not be reached, `P` for a port.
const TRICKS: &[&str] = &[
    // Plainly.
    "https://127.0.0.1:P/",
    "https://127.0.0.1.:P/",
    "https://127.255.255.254:P/",
    "https://0.0.0.0:P/",
    "https://10.0.0.1:P/",
    "https://100.64.0.1:P/",
    "https://169.254.169.254:P/latest/meta-data/",
    "https://168.63.129.16:P/",
    "https://172.16.0.1:P/",
    "https://192.168.0.1:P/",
    "https://192.0.0.192:P/",
    "https://198.18.0.1:P/",
    "https://224.0.0.1:P/",
    "https://255.255.255.255:P/",
    // As numbers of other kinds.
    "https://2130706433:P/",
    "https://017700000001:P/",
    "https://0x7f000001:P/",
    "https://0x7F.0x0.0x0.0x1:P/",
    "https://0177.0.0.1:P/",
    "https://0177.0.0.01:P/",
    "https://0x7f.1:P/",
    "https://127.1:P/",
    "https://127.0.1:P/",
    "https://0:P/",
    "https://2852039166:P/",
    "https://0xa9fea9fe:P/",
    "https://0251.0376.0251.0376:P/",
    "https://%31%32%37.0.0.1:P/",
    "https://127%2e0%2e0%2e1:P/",
    // By other letters.
    "https://①②⑦.⓪.⓪.①:P/",
    "https://127。0。0。1:P/",
    "https://127．0．0．1:P/",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:P/",
    "https://xn--.localhost:P/",
    // IPv6.
    "https://[::1]:P/",
    "https://[0:0:0:0:0:0:0:1]:P/",
    "https://[0000::0001]:P/",
    "https://[::]:P/",
    "https://[::127.0.0.1]:P/",
    "https://[::7f00:1]:P/",
    "https://[::ffff:127.0.0.1]:P/",
    "https://[::ffff:7f00:1]:P/",
    "https://[::FFFF:a9fe:a9fe]:P/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]:P/",
    "https://[::ffff:0:127.0.0.1]:P/",
    "https://[64:ff9b::127.0.0.1]:P/",
    "https://[64:ff9b:1::7f00:1]:P/",
    "https://[2002:7f00:1::]:P/",
    "https://[2001:0:7f00:1::]:P/",
    "https://[2001:db8::1]:P/",
    "https://[fc00::1]:P/",
    "https://[fd00:ec2::254]:P/",
    "https://[fe80::1]:P/",
    "https://[fe80::1%25lo]:P/",
    "https://[fec0::1]:P/",
    "https://[ff02::1]:P/",
    // By names.
    "https://localhost:P/",
    "https://LOCALHOST:P/",
    "https://localhost.:P/",
    "https://a.localhost:P/",
    "https://ip6-localhost:P/",
    "https://inside.example:P/",
    "https://inside.example.:P/",
    "https://INSIDE.example:P/",
    "https://two.example:P/",
    "https://mapped.example:P/",
    "https://nat.example:P/",
    "https://metadata.example:P/",
    "https://xn--e1aybc.example:P/",
    "https://тест.example:P/",
    // By what stands before the host.
    "https://public.example@127.0.0.1:P/",
    "https://public.example:443@127.0.0.1:P/",
    "https://user:password@inside.example:P/",
    "https://127.0.0.1:P@inside.example:P/",
    "https://public.example%40127.0.0.1:P/",
    "https://public.example#@127.0.0.1:P/",
    "https://127.0.0.1:P#@inside.example/",
    "https://127.0.0.1:P\\@inside.example:P/",
    "https:\\\\127.0.0.1:P\\",
    "https:127.0.0.1:P/",
    "https:///127.0.0.1:P/",
    " \thttps://127.0.0.1:P/",
    "ht\ntps://127.0.0.1:P/",
    // By other ways and doors.
    "http://127.0.0.1:P/",
    "http://localhost:P/",
    "http://public.example:P/",
    "HTTP://127.0.0.1:P/",
    "https://127.0.0.1:22/",
    "https://public.example:22/",
    "https://public.example:6379/",
    "https://127.0.0.1/",
    "ftp://127.0.0.1:P/",
    "gopher://127.0.0.1:P/",
    "file:///etc/passwd",
    "file://127.0.0.1:P/",
    "dict://127.0.0.1:P/",
    "ws://127.0.0.1:P/",
    "unix:/run/docker.sock",
    "data:text/plain,a",
    "javascript:alert(1)",
    "jar:https://127.0.0.1:P/!/",
    "//127.0.0.1:P/",
    "/etc/passwd",
    "127.0.0.1:P",
    "localhost:P",
    "https://",
    "https://:P/",
    "https://[::1:P/",
    "",
];

fn found(name: &str) -> Vec<&'static str> {
    match name.trim_end_matches('.') {
        // Whatever the tables of the system say.
        "localhost" | "a.localhost" | "inside.example" | "xn--e1aybc.example" => vec!["127.0.0.1"],
        "ip6-localhost" => vec!["::1"],
        "two.example" => vec!["8.8.8.8", "127.0.0.1"],
        "mapped.example" => vec!["::ffff:127.0.0.1"],
        "nat.example" => vec!["64:ff9b::7f00:1"],
        "metadata.example" => vec!["169.254.169.254"],
        _ => vec![],
    }
}

#[tokio::test]
async fn nothing_inside_is_reached_by_any_writing() {
    let (port, peers) = everywhere().await;
    let reached = || peers.iter().map(Peer::connections).sum::<usize>();
    let real = World::real().is_public;
    let client = provider(world(port, real, found), Roots::public());
    for trick in TRICKS {
        let url = trick.replace('P', &port.to_string());
        let fetched = client.fetch(Call::get_at(&*url), LIMITS).await;
        assert!(fetched.is_err(), "{url:?}");
        let called = client
            .call(Call::post_at(&*url, Body::Empty), Timestamp(0))
            .await;
        assert!(called.is_err(), "{url:?}");
        assert_eq!(reached(), 0, "{url:?}");
    }

    // Without the check of addresses the same calls do get there.
    let open = provider(world(port, |_| true, found), Roots::public());
    let mut through = BTreeSet::new();
    for trick in TRICKS.iter().filter(|trick| !trick.contains("example")) {
        let before = reached();
        let url = trick.replace('P', &port.to_string());
        // Addresses of other machines are not tried.
        let here = reqwest::Url::parse(&url).ok().and_then(|url| {
            let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
            let number = host.parse::<IpAddr>();
            let is_near = number.map_or(host.contains("localhost"), |ip| {
                ip.is_loopback() || ip.to_canonical().is_loopback()
            });
            is_near.then_some(())
        });
        if here.is_none() {
            continue;
        }
        let outcome = open.fetch(Call::get_at(&*url), LIMITS).await;
        assert!(outcome.is_err(), "{url}");
        if reached() > before {
            through.insert(*trick);
        }
    }
    assert!(through.len() > 20, "{through:#?}");
    assert!(through.contains("https://2130706433:P/"), "{through:#?}");
    assert!(through.contains("https://①②⑦.⓪.⓪.①:P/"), "{through:#?}");
}

/// Servers outside, and listeners inside at the same port.
async fn both(named: &Named, scripts: Vec<Vec<Step>>) -> (Peer, Vec<Peer>) {
    let outside = Peer::tls(named, scripts).await;
    let mut inside = Vec::new();
    for address in INSIDE {
        let address = SocketAddr::new(address.parse().unwrap(), outside.address.port());
        inside.push(Peer::at(address, Some(named), vec![vec![Step::Read, FILE]]).await);
    }
    (outside, inside)
}

#[tokio::test]
async fn a_redirect_leads_nowhere_inside() {
    let named = Named::new(&["media.example"]);
    for to in [
        "https://127.0.0.2:P/",
        "https://127.1.1.1:P/",
        "https://2130706434:P/",
        "https://[::1]:P/",
        "https://[::ffff:127.0.0.2]:P/",
        "https://inside.example:P/",
        "//127.0.0.2:P/",
        "http://media.example:P/",
        "http://127.0.0.2:P/",
        "https://user@media.example:P/",
        "https://media.example:22/",
        "https://media.example/",
        "file:///etc/passwd",
        "https://",
        "",
    ] {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let to = to.replace('P', &port.to_string());
        let answer = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
        let script = vec![vec![Step::Read, Step::Say(answer)]];
        let address = SocketAddr::new(OUTSIDE.parse().unwrap(), port);
        let outside = Peer::at(address, Some(&named), script).await;
        let mut inside = Vec::new();
        for address in INSIDE {
            let address = SocketAddr::new(address.parse().unwrap(), port);
            inside.push(Peer::at(address, None, vec![vec![]]).await);
        }
        let world = world(port, is_outside, |name| match name {
            "media.example" => vec![OUTSIDE],
            _ => vec![INSIDE[0]],
        });
        let client = provider(world, Roots::of_pem(&named.pem).unwrap());
        let url = format!("https://media.example:{port}/file");
        let fetched = client.fetch(Call::get_at(url), LIMITS).await;
        // An empty address is the same one again, until it is too often.
        assert!(gone(&fetched), "{to}: {:?}", fetched.err());
        assert!(!outside.requests().is_empty(), "{to}");
        assert!(inside.iter().all(|peer| peer.connections() == 0), "{to}");
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let named = Named::new(&["media.example"]);
    let (outside, inside) = both(&named, vec![vec![Step::Read, FILE]]).await;
    let lookups = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lookups);
    let world = world(outside.address.port(), is_outside, move |_| {
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => vec![OUTSIDE],
            _ => vec![INSIDE[0]],
        }
    });
    let client = provider(world, Roots::of_pem(&named.pem).unwrap());
    let url = format!("https://media.example:{}/file", outside.address.port());
    let fetched = client.fetch(Call::get_at(&*url), LIMITS).await;
    assert_eq!(whole(fetched).await, Ok("file".to_owned()));
    // It was asked once: what was checked is what was connected to.
    assert_eq!(
        (lookups.load(Ordering::SeqCst), outside.connections()),
        (1, 1)
    );
    let client = client.clone();
    outside.until(|seen| seen.ended == 1).await;
    // Over the connection that is kept, if it is, or not at all.
    for _ in 0..3 {
        assert!(client.fetch(Call::get_at(&*url), LIMITS).await.is_err());
    }
    assert!(lookups.load(Ordering::SeqCst) > 1);
    assert!(inside.iter().all(|peer| peer.connections() == 0));
}

#[tokio::test]
async fn headers_are_shown_to_whom_they_are_for() {
    const HOSTS: [(&str, bool); 4] = [
        ("api.example", true),
        ("cdn.media.example", true),
        ("other.example", false),
        ("xmedia.example", false),
    ];
    let named = Named::new(&[
        "media.example",
        HOSTS[0].0,
        HOSTS[1].0,
        HOSTS[2].0,
        HOSTS[3].0,
    ]);
    for (host, is_shown) in HOSTS {
        let peer = Peer::tls(&named, vec![vec![Step::Read, FILE]]).await;
        let port = peer.address.port();
        let url = format!("https://{host}:{port}/file");
        let moved = format!("HTTP/1.1 301 No\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n");
        let first = SocketAddr::new("127.0.0.3".parse().unwrap(), port);
        let script = vec![vec![Step::Read, Step::Say(moved)]];
        let first = Peer::at(first, Some(&named), script).await;
        let world = world(
            port,
            |_| true,
            |name| match name {
                "media.example" => vec!["127.0.0.3"],
                _ => vec![OUTSIDE],
            },
        );
        let target = Target::parse(&format!("https://api.example:{port}/v1")).unwrap();
        let setup = Setup {
            roots: Roots::of_pem(&named.pem).unwrap(),
            ..Setup::new(target, Millis::from_secs(60))
        };
        let client = Client::within(&setup, world).unwrap();
        for url in [format!("https://media.example:{port}/file"), url] {
            let key = HeaderValue::from_static("Bearer key");
            let mut call = Call::get_at(url).header(header::AUTHORIZATION, key);
            call.hosts = &["media.example"];
            let fetched = client.fetch(call, LIMITS).await;
            assert_eq!(whole(fetched).await, Ok("file".to_owned()), "{host}");
        }
        let has_key = |sent: &String| sent.contains("Bearer key");
        assert!(first.requests().iter().all(has_key));
        let (first, then) = (first.requests().len(), peer.requests());
        assert_eq!((first, then.len()), (1, 2));
        assert!(
            then.iter().all(|sent| has_key(sent) == is_shown),
            "{then:?}"
        );
    }
}

#[tokio::test]
async fn redirects_are_followed_a_few_times() {
    let named = Named::new(&["media.example"]);
    for (times, is_found) in [(1, true), (3, true), (4, false)] {
        let moved = Step::Write("HTTP/1.1 302 No\r\nlocation: ../a/b\r\ncontent-length: 0\r\n\r\n");
        let mut script = Vec::new();
        for _ in 0..times {
            script.extend([Step::Read, moved.clone()]);
        }
        script.extend([Step::Read, FILE]);
        let peer = Peer::tls(&named, vec![script]).await;
        let port = peer.address.port();
        let world = world(port, is_outside, |_| vec![OUTSIDE]);
        let client = provider(world, Roots::of_pem(&named.pem).unwrap());
        let url = format!("https://media.example:{port}/x/y");
        let fetched = client.fetch(Call::get_at(url), LIMITS).await;
        assert_eq!((fetched.is_ok(), gone(&fetched)), (is_found, !is_found));
        let requests = peer.requests();
        assert_eq!(requests.len(), (times + 1).min(4));
        assert!(
            requests[1].starts_with("GET /a/b HTTP/1.1\r\n"),
            "{requests:?}"
        );
    }
}

#[tokio::test]
async fn a_file_comes_with_what_is_said_of_it() {
    let peer = Peer::start(vec![vec![Step::Read, FILE, Step::Read, FILE]]).await;
    let client = local(&peer);
    for call in [Call::get("file"), Call::get_at(peer.url("/v1/file"))] {
        let fetched = client.fetch(call, LIMITS).await.unwrap();
        assert_eq!(fetched.content_type.as_deref(), Some("image/png"));
        assert_eq!(
            (fetched.name.as_deref(), fetched.length),
            (Some("a.png"), Some(4))
        );
        assert_eq!(whole(Ok(fetched)).await, Ok("file".to_owned()));
    }
    // What is ours here is not what is at another port, nor under another name.
    let other = Peer::start(vec![vec![Step::Read, FILE]]).await;
    let localhost = format!("http://localhost:{}/v1/file", peer.address.port());
    let user = format!("http://user@{}/v1/file", peer.address);
    for url in [other.url("/v1/file"), localhost, user] {
        let fetched = client.fetch(Call::get_at(url), LIMITS).await;
        assert!(gone(&fetched));
    }
    assert_eq!((peer.requests().len(), other.connections()), (2, 0));
}

#[tokio::test]
async fn what_is_not_to_be_had_now_or_ever() {
    for (status, is_gone) in [
        (400, true),
        (401, false),
        (403, true),
        (404, true),
        (408, false),
        (410, true),
        (429, false),
        (500, false),
        (503, false),
        (204, true),
        (206, true),
    ] {
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
        let peer = Peer::start(vec![vec![Step::Read, Step::Say(answer)]]).await;
        let fetched = local(&peer).fetch(Call::get("file"), LIMITS).await;
        assert_eq!(
            (gone(&fetched), later(&fetched)),
            (is_gone, !is_gone),
            "{status}"
        );
    }
    for script in [
        vec![],
        vec![Step::Read],
        vec![Step::Read, Step::Write("?\r\n\r\n")],
    ] {
        let peer = Peer::start(vec![script]).await;
        assert!(later(&local(&peer).fetch(Call::get("file"), LIMITS).await));
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_or_breaks_off_ends_with_an_error() {
    let large = Step::Write("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n");
    let peer = Peer::start(vec![vec![Step::Read, large, Step::Flood]]).await;
    assert!(gone(&local(&peer).fetch(Call::get("file"), LIMITS).await));

    let endless = Step::Write("HTTP/1.1 200 OK\r\n\r\n");
    let peer = Peer::start(vec![vec![Step::Read, endless, Step::Flood]]).await;
    let fetched = local(&peer).fetch(Call::get("file"), LIMITS).await;
    let outcome = whole(fetched).await;
    assert_eq!(outcome, Err(FetchError::Later("FileTooLarge".to_owned())));
    peer.until(|seen| seen.ended == 1).await;

    let half = Step::Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
    let peer = Peer::start(vec![vec![Step::Read, half]]).await;
    let fetched = local(&peer).fetch(Call::get("file"), LIMITS).await;
    assert!(later(&whole(fetched).await));

    let exact = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}",
        "x".repeat(1_000)
    );
    let peer = Peer::start(vec![vec![Step::Read, Step::Say(exact)]]).await;
    let fetched = local(&peer).fetch(Call::get("file"), LIMITS).await;
    assert_eq!(whole(fetched).await.map(|text| text.len()), Ok(1_000));
}

#[tokio::test]
async fn a_file_that_drips_ends_in_time() {
    let drip = Step::Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
    let peer = Peer::start(vec![vec![Step::Read, drip, Step::Hang]]).await;
    let mut fetched = local(&peer).fetch(Call::get("file"), LIMITS).await.unwrap();
    let first = fetched.content.next().await.unwrap().unwrap();
    assert!(b"half".starts_with(&first));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    let mut last = fetched.content.next().await.unwrap();
    if last.is_ok() {
        last = fetched.content.next().await.unwrap();
    }
    assert_eq!(last.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(fetched.content.next().await.is_none());
}
