//! What an answer is about.

/// Said before a subject in an answer, in the words of other people's programs.
const MARKS: [&str; 14] = [
    "re",
    "aw",
    "sv",
    "vs",
    "antw",
    "antwort",
    "odp",
    "res",
    "rif",
    "ynt",
    "ref",
    "отв",
    "ответ",
    "на",
];

/// The subject with one `Re:` before it, however often it was answered already.
pub(super) fn of_answer(subject: &str) -> String {
    let mut bare = subject.trim_start();
    while let Some(rest) = without_mark(bare) {
        bare = rest.trim_start();
    }
    format!("Re: {bare}").trim_end().to_owned()
}

/// `Re:`, `RE :`, `Re[2]:`, `Re(2):`, `Re^2:` and the like.
fn without_mark(subject: &str) -> Option<&str> {
    let end = subject.find(|c: char| !c.is_alphabetic())?;
    let (mark, rest) = subject.split_at(end);
    let mark = mark.to_lowercase();
    if !MARKS.contains(&mark.as_str()) {
        return None;
    }
    let counts = |c: char| c.is_ascii_digit() || "[](){}^* ".contains(c);
    let rest = rest.trim_start_matches(counts);
    rest.strip_prefix([':', '：'])
}

#[cfg(test)]
mod tests {
    use super::of_answer;

    #[test]
    fn one_mark_is_enough() {
        for (before, after) in [
            ("Order 7", "Re: Order 7"),
            ("Re: Order 7", "Re: Order 7"),
            ("RE[2]: Re: Order 7", "Re: Order 7"),
            ("Re(3): RE : order", "Re: order"),
            ("Ответ: Re: Заказ", "Re: Заказ"),
            ("HA: Заказ", "Re: HA: Заказ"),
            ("НА: Заказ", "Re: Заказ"),
            ("Re：注文", "Re: 注文"),
            ("Fwd: Re: Order", "Re: Fwd: Re: Order"),
            ("Return: my order", "Re: Return: my order"),
            ("Re order", "Re: Re order"),
            ("2024: a year", "Re: 2024: a year"),
            ("Re:", "Re:"),
            ("", "Re:"),
        ] {
            assert_eq!(of_answer(before), after, "{before}");
        }
    }
}
