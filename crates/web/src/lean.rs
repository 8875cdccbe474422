//! Scripts without what only their readers need: comments and indentation.
//!
//! Everything else stays as it is written, line by line, so that it can be read in a
//! browser and an error names a line that one can find.

/// What the scanner is in the middle of.
enum Within {
    /// Code between the backticks of a template, with so many open braces of its own.
    Hole(usize),
    /// The text of a template.
    Template,
}

/// Words after which a slash begins a regular expression.
const BEFORE_A_PATTERN: [&str; 13] = [
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "yield",
];

/// A script's text, less comments, indentation and empty lines.
pub(crate) fn lean(script: &str) -> String {
    let mut lean = Lean {
        rest: script,
        out: String::with_capacity(script.len()),
        within: Vec::new(),
    };
    while !lean.rest.is_empty() {
        lean.step();
    }
    lean.end_line();
    lean.out
}

struct Lean<'a> {
    rest: &'a str,
    out: String,
    within: Vec<Within>,
}

impl Lean<'_> {
    fn step(&mut self) {
        if matches!(self.within.last(), Some(Within::Template)) {
            return self.template();
        }
        let mut chars = self.rest.chars();
        let (Some(first), second) = (chars.next(), chars.next()) else {
            return;
        };
        match (first, second) {
            ('\n', _) => {
                self.end_line();
                self.skip(1);
            }
            (' ' | '\t' | '\r', _) => {
                // At the beginning of a line there is nothing to part.
                if !self.out.is_empty() && !self.out.ends_with('\n') {
                    self.out.push(' ');
                }
                self.skip(1);
            }
            ('/', Some('/')) => {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.skip(end);
            }
            ('/', Some('*')) => self.block_comment(),
            ('/', _) if self.begins_pattern() => self.pattern(),
            ('\'' | '"', _) => self.quoted(first),
            ('`', _) => {
                self.take(1);
                self.within.push(Within::Template);
            }
            ('{', _) => {
                if let Some(Within::Hole(open)) = self.within.last_mut() {
                    *open += 1;
                }
                self.take(1);
            }
            ('}', _) => {
                match self.within.last_mut() {
                    Some(Within::Hole(0)) => {
                        self.within.pop();
                    }
                    Some(Within::Hole(open)) => *open -= 1,
                    Some(Within::Template) | None => {}
                }
                self.take(1);
            }
            _ => self.take(first.len_utf8()),
        }
    }

    fn take(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at(bytes);
        self.out.push_str(taken);
        self.rest = rest;
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.split_at(bytes).1;
    }

    /// Ends the line, unless there is nothing in it. A line's end may end a statement,
    /// so it stays.
    fn end_line(&mut self) {
        let kept = self.out.trim_end_matches([' ', '\t', '\r']).len();
        self.out.truncate(kept);
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    /// A comment parts what stands on its two sides, as a line's end if it has one.
    fn block_comment(&mut self) {
        let end = self.rest.find("*/").map_or(self.rest.len(), |at| at + 2);
        let (comment, rest) = self.rest.split_at(end);
        self.rest = rest;
        let parts = |text: &str| text.ends_with(|c: char| c.is_whitespace()) || text.is_empty();
        if comment.contains('\n') {
            self.end_line();
        } else if !parts(&self.out) {
            self.out.push(' ');
        }
        if parts(&self.out) {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
        }
    }

    fn quoted(&mut self, quote: char) {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        self.take(end.map_or(self.rest.len(), |(at, _)| at + 1));
    }

    fn template(&mut self) {
        let mut escaped = false;
        let mut before = ' ';
        let end = self.rest.char_indices().find(|(_, c)| {
            let ends = !escaped && (*c == '`' || (*c == '{' && before == '$'));
            // An escaped dollar opens nothing.
            before = if escaped { ' ' } else { *c };
            escaped = *c == '\\' && !escaped;
            ends
        });
        let is_hole = matches!(end, Some((_, '{')));
        self.take(end.map_or(self.rest.len(), |(at, _)| at + 1));
        if is_hole {
            self.within.push(Within::Hole(0));
        } else {
            self.within.pop();
        }
    }

    /// Whether a slash here cannot divide: nothing that could be divided stands before.
    fn begins_pattern(&self) -> bool {
        let before = self.out.trim_end();
        let Some(last) = before.chars().next_back() else {
            return true;
        };
        if last == ')' || last == ']' || last == '}' || matches!(last, '\'' | '"' | '`') {
            return false;
        }
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#');
        if !is_word(last) {
            return true;
        }
        let word = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
        BEFORE_A_PATTERN.contains(&word)
    }

    fn pattern(&mut self) {
        let (mut escaped, mut in_class) = (false, false);
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '\n' || (*c == '/' && !escaped && !in_class);
            match c {
                '[' if !escaped => in_class = true,
                ']' if !escaped => in_class = false,
                _ => {}
            }
            escaped = *c == '\\' && !escaped;
            ends
        });
        self.take(end.map_or(
            self.rest.len(),
            |(at, c)| {
                if c == '\n' { at } else { at + 1 }
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::lean;

    #[test]
    fn what_only_readers_need_goes() {
        for (script, expected) in [
            ("", ""),
            ("\n\n  \n", ""),
            ("a;", "a;\n"),
            ("// a note\na;\n", "a;\n"),
            ("  a; // a note\n\n\n  b;  \n", "a;\nb;\n"),
            ("/** @type {A} */ (a).b;\n", "(a).b;\n"),
            ("f(/** @type {A} */ a, b /* c */);\n", "f( a, b );\n"),
            ("let/* a */b;\n", "let b;\n"),
            // A comment over two lines ends a statement as a line's end does.
            ("return /* a\n b */ c;\n", "return\nc;\n"),
            (
                "/* a\n * b\n */\nexport class A {\n  #b = 1;\n}\n",
                "export class A {\n#b = 1;\n}\n",
            ),
            ("a\r\n  b\r\n", "a\nb\n"),
        ] {
            assert_eq!(lean(script), expected, "{script:?}");
        }
    }

    #[test]
    fn what_a_program_reads_stays() {
        for script in [
            "const a = '// no note';\n",
            "const a = \"/* no \\\" note */\";\n",
            "const a = 'it\\'s // here';\n",
            "const a = '\\\\'; b();\n",
            "const a = `  // no note\n   /* nor here */\n`;\n",
            "const a = `${b ? `  // ${c({ d: '}' })}` : ''}  // no note`;\n",
            "const a = `\\`  // ${'`'}`;\n",
            "const a = `\\${ // `;\n",
            "a.replace(/\\/\\/ [/\"'`]/g, '');\n",
            "if (!/^\\/*$/.test(a)) b();\n",
            "return /[/]\\//;\n",
            "const a = b / c / d;\n",
            "const a = (b) / c; const e = 'x' / 2;\n",
            "const a = b[0] / 2;\n",
        ] {
            let ended = format!("{}\n", script.trim_end_matches('\n'));
            assert_eq!(lean(script), ended, "{script:?}");
        }
    }

    #[test]
    fn what_is_cut_short_is_no_panic() {
        let script = "const a = `x ${b({c: 'd\\''})} y`; // é\n/* ü */ const r = /[/\\]]/g;\n";
        for end in (0..script.len()).filter(|end| script.is_char_boundary(*end)) {
            lean(&script[..end]);
        }
    }

    #[test]
    fn what_is_lean_is_left_alone() {
        let once = lean(include_str!("../assets/widget/view.js"));
        assert!(!once.contains("@param"));
        assert_eq!(lean(&once), once);
    }
}
