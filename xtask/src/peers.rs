//! What others would match with: Redis by a script and Postgres with `SKIP LOCKED`,
//! each a server of its own in a temporary folder, asked by its own load generator.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::report::say;
use crate::tools::which;

/// Waiting, of 50 queues; operators work for three of them each and take ten.
const WAITING: u32 = 10_000;

const REDIS_FILL: &str = "
for i = 0, 9999 do redis.call('ZADD', 'queue:' .. i * 7919 % 50, i, i) end
for i = 0, 999 do
  redis.call('ZADD', 'free', i, i)
  for n = 0, 2 do redis.call('RPUSH', 'queues:' .. i, (i + n) % 50) end
end";

const REDIS_TAKE: &str = "
while true do
  local operator = redis.call('ZRANGE', 'free', 0, 0)[1]
  if not operator then return false end
  local since, from
  for _, queue in ipairs(redis.call('LRANGE', 'queues:' .. operator, 0, -1)) do
    local head = redis.call('ZRANGE', 'queue:' .. queue, 0, 0, 'WITHSCORES')
    if head[1] and (not from or tonumber(head[2]) < since) then
      since, from = tonumber(head[2]), queue
    end
  end
  redis.call('ZREM', 'free', operator)
  if from then
    local conversation = redis.call('ZPOPMIN', 'queue:' .. from)[1]
    local taken = redis.call('HINCRBY', 'taken', operator, 1)
    local turn = redis.call('HINCRBY', 'turn', 'turn', 1)
    if taken < 10 then redis.call('ZADD', 'free', taken * 1000000 + turn, operator) end
    redis.call('HSET', 'given', conversation, operator)
    return conversation
  end
end";

const POSTGRES_FILL: &str = "
create table waiting (id int primary key, queue int not null, since int not null, operator int);
create index on waiting (queue, since) where operator is null;
create table operators (id int primary key, taken int not null, turn bigint not null);
create index on operators (taken, turn) where taken < 10;
create table members (operator int, queue int, primary key (operator, queue));
create sequence turn start 1000;
insert into waiting select i, i * 7919 % 50, i, null from generate_series(0, 9999) i;
insert into operators select i, 0, i from generate_series(0, 999) i;
insert into members select i, (i + n) % 50 from generate_series(0, 999) i, generate_series(0, 2) n;
vacuum analyze;";

const POSTGRES_TAKE: &str = "
with free as (
  select id from operators where taken < 10 order by taken, turn limit 1
  for update skip locked
), heads as (
  select head.* from free join members on members.operator = free.id, lateral (
    select id, since from waiting where queue = members.queue and operator is null
    order by since limit 1 for update skip locked
  ) head
), given as (
  update waiting set operator = (select id from free)
  where id = (select id from heads order by since limit 1) returning id
)
update operators set turn = nextval('turn'),
  taken = case when exists (select from given) then taken + 1 else 10 end
where id = (select id from free);";

/// Measures both, as far as they are on this machine.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    for (name, measured) in [
        ("redis", redis(&folder.0)?),
        ("postgres", postgres(&folder.0)?),
    ] {
        match measured {
            Ok(Measured { given, rate, cpu }) => say(format_args!(
                "peer {name}: {rate:.0} decisions/s, {cpu:.3} CPU-s per 1,000, {given} given of \
                 {WAITING} waiting\n{{\"peer\":\"{name}\",\"waiting\":{WAITING},\
                 \"given\":{given},\"rate\":{rate:.0},\"cpu_s_per_1000\":{cpu:.4}}}"
            )),
            Err(reason) => say(format_args!("peer {name}: skipped, {reason}")),
        }
    }
    Ok(())
}

struct Measured {
    given: u32,
    rate: f64,
    /// Processor seconds of the server for 1,000 decisions.
    cpu: f64,
}

impl Measured {
    /// Of so many calls in a second not every one may have given something away.
    fn new(given: &str, calls: f64, cpu: f64) -> anyhow::Result<Self> {
        let given: u32 = given.trim().parse().context("reading what was given")?;
        let share = f64::from(given) / f64::from(WAITING);
        ensure!(share > 0.95, "WRONG: a peer gave {given} of {WAITING} away");
        Ok(Self {
            given,
            rate: calls * share,
            cpu: cpu / f64::from(given) * 1_000.0,
        })
    }
}

fn redis(folder: &Path) -> anyhow::Result<Result<Measured, String>> {
    let programs = ["redis-server", "redis-cli", "redis-benchmark"].map(which);
    let [Some(server), Some(cli), Some(load)] = programs else {
        return Ok(Err("redis is not on this machine".to_owned()));
    };
    let socket = folder.join("redis");
    let mut command = Command::new(server);
    command
        .args(["--port", "0", "--save", "", "--dir"])
        .arg(folder);
    command.arg("--unixsocket").arg(&socket);
    let server = Server::start(command.stdout(Stdio::null()))?;
    let ask = |words: &[&str]| printed(Command::new(&cli).arg("-s").arg(&socket).args(words));
    // The server loads nothing: it answers within moments.
    let answers = (0..1_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        ask(&["ping"]).is_ok_and(|answer| answer.trim() == "PONG")
    });
    ensure!(answers, "redis does not answer");
    ask(&["eval", REDIS_FILL, "0"])?;
    let script = ask(&["script", "load", REDIS_TAKE])?;
    let cpu = cpu_seconds(server.0.id());
    let mut load = Command::new(load);
    load.arg("-s").arg(&socket);
    load.args(["-q", "-c", "50", "-n", &WAITING.to_string()]);
    let told = printed(load.args(["evalsha", script.trim(), "0"]))?;
    let cpu = cpu_seconds(server.0.id()) - cpu;
    let calls = number_before(&told, " requests per second")?;
    let given = ask(&["hlen", "given"])?;
    Ok(Ok(Measured::new(&given, calls, cpu)?))
}

fn postgres(folder: &Path) -> anyhow::Result<Result<Measured, String>> {
    let Some(programs) = which("initdb").and_then(|file| file.canonicalize().ok()) else {
        return Ok(Err("postgres is not on this machine".to_owned()));
    };
    let program = |name: &str| beside(&programs, name);
    let is_root = printed(Command::new("id").arg("-u"))?.trim() == "0";
    if is_root && printed(Command::new("id").args(["-u", "postgres"])).is_err() {
        return Ok(Err("postgres does not run as root".to_owned()));
    }
    // As root everything is done by the user whom a package makes for it.
    let by = |file: PathBuf| {
        if is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(file);
            command
        } else {
            Command::new(file)
        }
    };
    let home = folder.join("postgres");
    std::fs::create_dir(&home)?;
    if is_root {
        printed(Command::new("chown").arg("postgres").arg(folder).arg(&home))?;
    }
    let data = home.join("data");
    let mut initdb = by(programs.clone());
    initdb.args(["-A", "trust", "-U", "postgres", "-D"]);
    printed(initdb.arg(&data))?;
    let mut start = by(program("pg_ctl")?);
    let options = format!("-c listen_addresses='' -k {}", home.display());
    start.args(["start", "-w", "-o", &options, "-D"]).arg(&data);
    start.arg("-l").arg(home.join("log"));
    let mut stop = by(program("pg_ctl")?);
    stop.args(["stop", "-m", "immediate", "-D"]).arg(&data);
    // Its children would keep a pipe open.
    ensure!(
        start.stdout(Stdio::null()).status()?.success(),
        "postgres does not start"
    );
    let _stopped = AtEnd(stop);
    let pid = std::fs::read_to_string(data.join("postmaster.pid"))?;
    let pid = pid.lines().next().context("reading its id")?.parse()?;
    let connect = |mut command: Command| {
        command.args(["-U", "postgres", "-h"]).arg(&home);
        command
    };
    let psql = |sql: &str| {
        let mut psql = connect(by(program("psql")?));
        printed(psql.args(["-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", sql]))
    };
    for statement in POSTGRES_FILL.split_inclusive(';') {
        psql(statement)?;
    }
    let script = folder.join("take.sql");
    std::fs::write(&script, POSTGRES_TAKE)?;
    let cpu = cpu_seconds(pid);
    let mut load = connect(by(program("pgbench")?));
    load.args(["-n", "-c", "8", "-j", "2", "-t", "1250", "-f"]);
    let told = printed(load.arg(&script))?;
    let cpu = cpu_seconds(pid) - cpu;
    let calls = told.split_once("tps = ").map_or("", |(_, rest)| rest);
    let calls = number_before(calls, " (")?;
    let given = psql("select count(*) from waiting where operator is not null")?;
    Ok(Ok(Measured::new(&given, calls, cpu)?))
}

/// The file of that name in the same folder, as they are installed together.
fn beside(file: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let found = file.with_file_name(name);
    ensure!(found.is_file(), "{} is not there", found.display());
    Ok(found)
}

/// The number that ends where these words begin.
fn number_before(text: &str, words: &str) -> anyhow::Result<f64> {
    let before = text.split_once(words).map(|(before, _)| before);
    let number = before.and_then(|it| it.rsplit([' ', '\r', '\n']).next());
    let number = number.and_then(|it| it.parse().ok());
    number.with_context(|| format!("reading a rate in {text}"))
}

fn printed(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("starting {name}"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The processor time of a process and of its children that have ended.
fn cpu_seconds(pid: u32) -> f64 {
    let told = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = told.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(4);
    let ticks: f64 = ticks.filter_map(|it| it.parse::<f64>().ok()).sum();
    // Linux tells of hundredths, whatever it counts in.
    ticks / 100.0
}

/// A temporary folder with a short name: that of a socket may not be long.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("peers-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is in a temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A child that ends with its owner.
struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        Ok(Self(child.context("starting a server")?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command that is run at the end.
struct AtEnd(Command);

impl Drop for AtEnd {
    fn drop(&mut self) {
        let _ = self.0.stdout(Stdio::null()).status();
    }
}
