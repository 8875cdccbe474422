//! Letters that are to be taken for a client's. Each is told by its header, in which
//! stand for what the attacker knows:
//!
//! | | |
//! |---|---|
//! | `{kira}`, `{boris}` | the name of a client's letter: of one who is vouched for, of one who is not |
//! | `{ours}`, `{boris-ours}` | the name of our answer to them |
//! | `{token}` | the token in the address that our answer to Kira asks for |
//! | `{sales-ours}`, `{sales-token}` | the same of another line's client |
//! | `{me}` | an address of the attacker's own, of this attack alone |
//! | `{mine}` | what our server says of letters from there: they are |

use proto::channels::v1::letter::Warning::{
    self, Broken, Forged, Invisible, LookAlike, ReplyElsewhere, SeveralSenders, Stranger,
    Unverified,
};

/// Where a letter may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a conversation of its own.
    Apart,
    /// In the client's, as a stranger's: it names what only that thread's people know.
    AsStranger,
}

/// A letter that is to be taken for another's.
#[derive(Debug)]
pub(super) struct Attack {
    /// What is tried.
    pub(super) name: &'static str,
    /// Its header; what is missing in it is added.
    pub(super) head: &'static str,
    /// Where it may be shown.
    pub(super) place: Place,
    /// What the operator has to be told, at least.
    pub(super) told: &'static [Warning],
}

const fn apart(name: &'static str, head: &'static str, told: &'static [Warning]) -> Attack {
    let place = Place::Apart;
    Attack {
        name,
        head,
        place,
        told,
    }
}

const fn stranger(name: &'static str, head: &'static str, told: &'static [Warning]) -> Attack {
    let place = Place::AsStranger;
    Attack {
        name,
        head,
        place,
        told,
    }
}

/// Who wrote it: `From` and what stands around it.
pub(super) const SENDERS: &[Attack] = &[
    apart(
        "a client's address, and nobody vouches",
        "From: <kira@client.test>",
        &[Unverified],
    ),
    apart(
        "a client's address in capitals",
        "From: <KIRA@Client.Test.>",
        &[Unverified],
    ),
    apart(
        "a client's address that our server calls forged",
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=client.test\nFrom: <kira@client.test>",
        &[Forged],
    ),
    apart(
        "vouched for is only the envelope of another domain",
        "Authentication-Results: mx.shop.test; spf=pass smtp.mailfrom=x@evil.test; dkim=pass header.d=evil.test; dmarc=none\nFrom: <kira@client.test>",
        &[Unverified],
    ),
    apart(
        "two From, the client's second",
        "{mine}\nFrom: <{me}>\nFrom: <kira@client.test>",
        &[SeveralSenders],
    ),
    apart(
        "two From, the client's first",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <kira@client.test>\nFrom: <{me}>",
        &[SeveralSenders, Unverified],
    ),
    apart(
        "two senders in one From",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <kira@client.test>, <{me}>",
        &[SeveralSenders, Unverified],
    ),
    apart(
        "the client in a group",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: friends: <kira@client.test>;",
        &[SeveralSenders, Unverified],
    ),
    apart(
        "the client as Sender",
        "{mine}\nFrom: <{me}>\nSender: <kira@client.test>\nReturn-Path: <kira@client.test>",
        &[],
    ),
    apart(
        "no From, the client as Sender",
        "{mine}\nSender: <kira@client.test>",
        &[Broken, Unverified],
    ),
    apart(
        "a name that is almost From",
        "{mine}\nFrom : <kira@client.test>",
        &[Broken, Unverified],
    ),
    apart(
        "the client's address in a comment",
        "{mine}\nFrom: <{me}> (kira@client.test)",
        &[LookAlike],
    ),
    apart(
        "the client's address as a name",
        "{mine}\nFrom: \"kira@client.test\" <{me}>",
        &[LookAlike],
    ),
    apart(
        "the client's address before the own",
        "{mine}\nFrom: kira@client.test <{me}>",
        &[LookAlike],
    ),
    apart(
        "the client's address in an encoded name",
        "{mine}\nFrom: =?utf-8?Q?Kira_=3Ckira=40client.test=3E?= <{me}>",
        &[LookAlike],
    ),
    apart(
        "the client's address as a quoted name of a mailbox",
        "{mine}\nFrom: \"kira@client.test\"@evil.test",
        &[Broken, Unverified],
    ),
    apart(
        "a way through the client's domain",
        "{mine}\nFrom: <@client.test:{me}>",
        &[],
    ),
    apart(
        "a Cyrillic letter in the mailbox, of the client's own provider",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <k\u{456}ra@client.test>",
        &[LookAlike],
    ),
    apart(
        "the sign of the kelvin for a k, of the client's own provider",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <\u{212a}ira@client.test>",
        &[],
    ),
    apart(
        "a wide k, of the client's own provider",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <\u{ff4b}ira@client.test>",
        &[],
    ),
    apart(
        "a space of no width in the address",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <ki\u{200b}ra@client.test>",
        &[Invisible, Unverified],
    ),
    apart(
        "a Cyrillic letter in the domain",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=cli\u{435}nt.test\nFrom: <kira@cli\u{435}nt.test>",
        &[LookAlike],
    ),
    apart(
        "a name that turns what is read around",
        "{mine}\nFrom: \"\u{202e}tset.tneilc@arik\" <{me}>",
        &[Invisible],
    ),
    apart(
        "a name with what is not seen in it",
        "{mine}\nFrom: \"Ki\u{200b}ra\" <{me}>",
        &[Invisible],
    ),
    apart(
        "a name of two scripts",
        "{mine}\nFrom: \"K\u{456}ra\" <{me}>",
        &[LookAlike],
    ),
    apart(
        "answers to the client",
        "{mine}\nFrom: <{me}>\nReply-To: <kira@client.test>",
        &[ReplyElsewhere],
    ),
    apart(
        "copies to the client",
        "{mine}\nFrom: <{me}>\nCc: <kira@client.test>, <boris@plain.test>\nSubject: Re: Order 5",
        &[],
    ),
];

/// Who vouches for it: `Authentication-Results`. All say to be from Kira.
pub(super) const VOUCHERS: &[Attack] = &[
    apart(
        "a foreign server's word",
        "Authentication-Results: mx.evil.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our server's name with more behind",
        "Authentication-Results: mx.shop.test.evil.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our server's name with more before",
        "Authentication-Results: xmx.shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our domain for our server",
        "Authentication-Results: shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our server's name with a Cyrillic letter",
        "Authentication-Results: mx.sh\u{43e}p.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our server's name in a comment",
        "Authentication-Results: mx.evil.test (mx.shop.test); dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our server's name in a comment before",
        "Authentication-Results: (mx.shop.test) mx.evil.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our server's name as the second",
        "Authentication-Results: mx.evil.test mx.shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our server's name as a statement",
        "Authentication-Results: mx.evil.test; mx.shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "no server's name",
        "Authentication-Results: dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "our server's name in encoded words",
        "Authentication-Results: =?utf-8?Q?mx.shop.test=3B_dmarc=3Dpass?=",
        &[Unverified],
    ),
    apart(
        "below what our server says: fail",
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=client.test\nAuthentication-Results: mx.shop.test; dmarc=pass header.from=client.test",
        &[Forged],
    ),
    apart(
        "below what our server says: nothing",
        "Authentication-Results: mx.shop.test; none\nAuthentication-Results: mx.shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "below a foreign server's",
        "Authentication-Results: mx.evil.test; none\nAuthentication-Results: mx.shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "many below what our server says",
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=client.test\nAuthentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nAuthentication-Results: mx.shop.test; dkim=pass header.d=client.test\nAuthentication-Results: mx.shop.test; spf=pass smtp.mailfrom=kira@client.test",
        &[Forged],
    ),
    apart(
        "in a comment of our server's",
        "Authentication-Results: mx.shop.test; spf=none (x; dmarc=pass header.from=client.test;\n dkim=pass header.d=client.test) smtp.mailfrom=x@evil.test",
        &[Unverified],
    ),
    apart(
        "in a folded comment within a comment",
        "Authentication-Results: mx.shop.test;\n spf=fail ((\\)) dmarc=pass\n header.from=client.test) smtp.mailfrom=x@evil.test;\n dmarc=fail\n header.from=client.test",
        &[Forged],
    ),
    apart(
        "in a quoted reason of our server's",
        "Authentication-Results: mx.shop.test; dkim=fail reason=\"x; dmarc=pass header.from=client.test\" header.d=client.test",
        &[Unverified],
    ),
    apart(
        "in a quoted mailbox that our server tells",
        "Authentication-Results: mx.shop.test; spf=pass smtp.mailfrom=\"a; dkim=pass header.d=client.test; \\\"@client.test\"@evil.test",
        &[Unverified],
    ),
    apart(
        "passed for another domain",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=evil.test",
        &[Unverified],
    ),
    apart(
        "passed for a domain that begins alike",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test.evil.test",
        &[Unverified],
    ),
    apart(
        "signed by a domain that ends alike",
        "Authentication-Results: mx.shop.test; dkim=pass header.d=evilclient.test",
        &[Unverified],
    ),
    apart(
        "signed by all of the top domain",
        "Authentication-Results: mx.shop.test; dkim=pass header.d=test; spf=pass smtp.mailfrom=x@test",
        &[Unverified],
    ),
    apart(
        "greeted as the client's server",
        "Authentication-Results: mx.shop.test; spf=pass smtp.helo=client.test",
        &[Unverified],
    ),
    apart(
        "a name with a space behind it",
        "Authentication-Results : mx.shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "names that are almost it",
        "X-Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nAuthentication-Results-Original: mx.shop.test; dmarc=pass header.from=client.test\nARC-Authentication-Results: i=1; mx.shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "within another field",
        "X-Note: x\n\tAuthentication-Results: mx.shop.test; dmarc=pass header.from=client.test",
        &[Unverified],
    ),
    apart(
        "in the letter's body",
        "Subject: x\n\n{name}\nAuthentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <kira@client.test>\n",
        &[Unverified],
    ),
    apart(
        "in the head of a part",
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nAuthentication-Results: mx.shop.test; dmarc=pass header.from=client.test\n\n{name}\n--b--\n",
        &[Unverified],
    ),
];

/// Which thread it belongs to. What has no `From` is of the attacker's own address, and our
/// server vouches for that.
pub(super) const THREADS: &[Attack] = &[
    apart("a client's letter referred to", "References: {kira}", &[]),
    apart("a client's letter answered", "In-Reply-To: {kira}", &[]),
    apart(
        "two clients' letters referred to",
        "References: {kira} {boris}\nIn-Reply-To: {boris}",
        &[],
    ),
    apart(
        "a client's letter among many",
        "References: <1@x> <2@x> <3@x> {kira} <4@x>\nReferences: {boris}",
        &[],
    ),
    apart(
        "a client's letter, in the client's name",
        "From: <kira@client.test>\nReferences: {kira}",
        &[Unverified],
    ),
    apart(
        "a client's letter, in the client's name, told to be forged",
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=client.test\nFrom: <kira@client.test>\nReferences: {kira}",
        &[Forged],
    ),
    apart(
        "a client's letter whom nobody vouched for, told to be forged",
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=plain.test\nFrom: <boris@plain.test>\nReferences: {boris}",
        &[Forged],
    ),
    apart(
        "a client's letter, by a look-alike of the client",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <\u{212a}ira@client.test>\nReferences: {kira}",
        &[],
    ),
    apart(
        "a client's letter, by another client",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <pavel@client.test>\nReferences: {kira}\nCc: <kira@client.test>",
        &[],
    ),
    apart(
        "a client's letter as our own",
        "In-Reply-To: {kira}\nSender: <help@shop.test>\nReferences: {kira}",
        &[],
    ),
    stranger(
        "our letter referred to, by a stranger",
        "References: {ours}",
        &[Stranger],
    ),
    stranger(
        "our letter answered, by another client",
        "Authentication-Results: mx.shop.test; dmarc=pass header.from=client.test\nFrom: <pavel@client.test>\nIn-Reply-To: {ours}",
        &[Stranger],
    ),
    stranger(
        "our letter answered, in the client's name",
        "From: <kira@client.test>\nIn-Reply-To: {ours}",
        &[Stranger, Unverified],
    ),
    stranger(
        "our letter answered, told to be forged",
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=client.test\nFrom: <kira@client.test>\nIn-Reply-To: {ours}",
        &[Stranger, Forged],
    ),
    stranger(
        "our letter to somebody whom nobody vouches for, told to be forged",
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=plain.test\nFrom: <boris@plain.test>\nIn-Reply-To: {boris-ours}",
        &[Stranger, Forged],
    ),
    stranger(
        "our letter, answers to the attacker",
        "From: <kira@client.test>\nIn-Reply-To: {ours}\nReply-To: <{me}>",
        &[Stranger, ReplyElsewhere],
    ),
    stranger(
        "our letter, many in copy",
        "In-Reply-To: {ours}\nCc: <kira@client.test>, <two@evil.test>",
        &[Stranger],
    ),
    apart(
        "another line's letter",
        "In-Reply-To: {sales-ours}\nReferences: {sales-ours}",
        &[],
    ),
    apart(
        "another line's token",
        "To: <help+{sales-token}@shop.test>",
        &[],
    ),
    apart(
        "another line's address",
        "To: <sales+{sales-token}@shop.test>",
        &[],
    ),
    stranger(
        "the token, by a stranger",
        "To: <help+{token}@shop.test>",
        &[Stranger],
    ),
    stranger(
        "the token in capitals, in copy",
        "To: <x@evil.test>\nCc: <HELP+{token}@SHOP.TEST>",
        &[Stranger],
    ),
    stranger(
        "the token in a server's field",
        "Delivered-To: help+{token}@shop.test\nX-Original-To: help@shop.test",
        &[Stranger],
    ),
    stranger(
        "the token, in the client's name",
        "From: <kira@client.test>\nTo: <help+{token}@shop.test>",
        &[Stranger, Unverified],
    ),
    stranger(
        "the token, told to be forged",
        "Authentication-Results: mx.shop.test; dmarc=fail header.from=client.test\nFrom: <kira@client.test>\nTo: <help+{token}@shop.test>",
        &[Stranger, Forged],
    ),
    apart(
        "the token at another's domain",
        "To: <help+{token}@evil.test>",
        &[],
    ),
    apart(
        "the token of another mailbox",
        "To: <other+{token}@shop.test>",
        &[],
    ),
    apart(
        "the token and more",
        "To: <help+{token}a@shop.test>, <help+a{token}@shop.test>",
        &[],
    ),
    apart(
        "the token behind another tag",
        "To: <help+x+{token}@shop.test>",
        &[],
    ),
    apart(
        "the token as a name",
        "To: \"help+{token}@shop.test\" <help@shop.test>",
        &[],
    ),
    apart(
        "the token where answers go",
        "Reply-To: <help+{token}@shop.test>",
        &[ReplyElsewhere],
    ),
    apart(
        "the token in the subject",
        "Subject: Re: Order 5 [#{token}] help+{token}@shop.test",
        &[],
    ),
    apart(
        "the token as a letter's name",
        "References: <{token}> <{token}@shop.test> <help+{token}@shop.test>",
        &[],
    ),
    apart(
        "the subject of a client's thread",
        "Subject: Re: Order 5\nThread-Topic: Order 5\nThread-Index: AdAbc",
        &[],
    ),
    apart(
        "the name of a client's letter",
        "Message-ID: {kira}\nSubject: Order 5",
        &[],
    ),
    apart(
        "the name of our letter",
        "Message-ID: {ours}\nSubject: Re: Order 5",
        &[],
    ),
    apart(
        "the name of a client's letter, in the client's name",
        "From: <kira@client.test>\nMessage-ID: {kira}\nSubject: Order 5",
        &[Unverified],
    ),
    apart(
        "a resent letter of the client's",
        "Resent-From: <kira@client.test>\nResent-Message-ID: {kira}\nX-Forwarded-For: kira@client.test",
        &[],
    ),
    apart(
        "a report about a client's letter",
        "In-Reply-To: {kira}\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\n{name}\n--b\nContent-Type: message/disposition-notification\n\nOriginal-Message-ID: {kira}\n--b--\n",
        &[],
    ),
];
