//! The new words of an answer, without what is quoted and without the signature: a view,
//! the whole text is kept beside it. When in doubt it keeps more.

use std::ops::Range;

use super::marks::{self, Mark};

/// What is looked at; a text that is longer has no brief.
const LINES_MAX: usize = 5_000;
/// A signature with more lines is none.
const SIGNATURE_LINES_MAX: usize = 25;

/// The new words, when they are less than all. Of a letter that had only HTML `marked` is
/// what that says with its marks. `is_forward` tells that what follows is what the letter
/// is about.
pub(super) fn read(plain: &str, marked: Option<&str>, is_forward: bool) -> Option<String> {
    let from_marked = marked.and_then(|marked| cut(marked, is_forward));
    from_marked.or_else(|| cut(plain, is_forward))
}

/// A run of lines of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    is_quoted: bool,
    lines: Range<usize>,
}

fn cut(text: &str, is_forward: bool) -> Option<String> {
    let lines: Vec<&str> = text.lines().take(LINES_MAX + 1).collect();
    if lines.len() > LINES_MAX {
        return None;
    }
    let end = end_of_new(&lines, is_forward)?;
    let mut runs = runs(&lines[..end]);
    while let Some(last) = runs.last_mut() {
        if last.is_quoted {
            runs.pop();
            continue;
        }
        let kept = without_signature(&lines[last.lines.clone()]);
        if kept == 0 {
            runs.pop();
        } else {
            last.lines.end = last.lines.start + kept;
            break;
        }
    }
    let own = runs.iter().filter(|run| !run.is_quoted).count();
    // Below a quotation, or in one place of it: the answer stands by itself. In several
    // places, each stands below what it answers.
    if own == 1 {
        runs.retain(|run| !run.is_quoted);
    }
    let mut kept: Vec<&str> = Vec::new();
    for run in runs {
        // Who wrote the quotation stood here.
        if run.is_quoted && kept.last().is_some_and(|line| !line.trim().is_empty()) {
            kept.extend(
                lines[..run.lines.start]
                    .last()
                    .filter(|it| it.trim().is_empty()),
            );
        }
        kept.extend(&lines[run.lines]);
    }
    let kept = kept.join("\n");
    let kept = kept.trim();
    (!kept.is_empty() && kept != text.trim()).then(|| kept.to_owned())
}

/// Where the rest is an older letter, unmarked line by line. None when something is
/// handed on: then that is what the letter is about.
fn end_of_new(lines: &[&str], is_forward: bool) -> Option<usize> {
    let mut is_new = false;
    for (at, line) in lines.iter().enumerate() {
        if marks::forwards(line) {
            return None;
        }
        let is_own = !line.trim().is_empty() && !marks::is_quoted(line);
        let ends = match marks::mark(&lines[at..]) {
            Some(Mark::Older) => !is_forward,
            // What follows is marked line by line, or is all the rest.
            Some(Mark::Wrote { length }) => !is_forward && !quotes(&lines[at + length..]),
            Some(Mark::Signature) | None => false,
        };
        // An older letter above all that is new is not cut: what is new is below it.
        if ends && is_new {
            return Some(at);
        }
        is_new |= is_own;
    }
    Some(lines.len())
}

/// Whether the next line that is not empty is quoted.
fn quotes(lines: &[&str]) -> bool {
    let next = lines.iter().find(|line| !line.trim().is_empty());
    next.is_none_or(|next| marks::is_quoted(next))
}

/// Splits into what is quoted and what is not. Who wrote it belongs to neither.
fn runs(lines: &[&str]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if let Some(Mark::Wrote { length }) = marks::mark(&lines[at..])
            && quotes(&lines[at + length..])
        {
            at += length;
            continue;
        }
        let is_quoted = marks::is_quoted(lines[at]);
        let is_blank = lines[at].trim().is_empty();
        match runs.last_mut() {
            Some(last) if last.lines.end == at && (is_blank || last.is_quoted == is_quoted) => {
                last.lines.end = at + 1;
            }
            Some(_) | None if is_blank => {}
            Some(_) | None => runs.push(Run {
                is_quoted,
                lines: at..at + 1,
            }),
        }
        at += 1;
    }
    runs
}

/// How many lines stand before a signature, and before what programs and lawyers put
/// below.
fn without_signature(lines: &[&str]) -> usize {
    let mut end = lines.len();
    let dashes = lines
        .iter()
        .position(|line| marks::mark(&[line]) == Some(Mark::Signature));
    if let Some(at) = dashes.filter(|at| lines.len() - at <= SIGNATURE_LINES_MAX) {
        end = at;
    }
    loop {
        while end > 0 && lines[end - 1].trim().is_empty() {
            end -= 1;
        }
        let Some(start) = last_paragraph(&lines[..end]) else {
            return end;
        };
        if marks::is_program_signature(lines[end - 1]) {
            end -= 1;
        } else if start > 0 && marks::is_disclaimer(&lines[start..end]) {
            end = start;
        } else if lines[end - 1]
            .trim()
            .bytes()
            .all(|byte| byte == b'_' || byte == b'-')
        {
            end -= 1;
        } else {
            return end;
        }
    }
}

/// Where the last paragraph begins.
fn last_paragraph(lines: &[&str]) -> Option<usize> {
    let blank = lines.iter().rposition(|line| line.trim().is_empty());
    (!lines.is_empty()).then(|| blank.map_or(0, |blank| blank + 1))
}
