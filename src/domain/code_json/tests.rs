use super::*;

const RECORD: &str = r#"{"name":"a","description":"b","permissions":{"usageType":"openSource"},"contact":{"email":"c@d.gov"}}"#;

fn only_flaw(text: &str) -> (u32, u32, What) {
    let reading = read(text);
    assert_eq!(reading.flaws.len(), 1, "{text}: {reading:?}");
    let Flaw { at, what } = reading.flaws[0].clone();
    (at.line, at.column, what)
}

#[test]
fn whole_records_have_no_flaw() {
    let old = r#"{"name":"a","description":"b","license":null,"contact":{"email":"c@d.gov"}}"#;
    for (text, shape) in [
        (RECORD.to_owned(), Shape::Record),
        (old.to_owned(), Shape::Record),
        (format!(r#"{{"version":"2.0.0","releases":[{RECORD},{RECORD}]}}"#), Shape::Releases(2)),
        (format!(r#"{{"version":"1.0.1","projects":[{old}]}}"#), Shape::Projects(1)),
        (RECORD.replace(',', ",\r\n"), Shape::Record),
    ] {
        let reading = read(&text);
        assert_eq!((reading.shape, reading.flaws), (Some(shape), vec![]), "{text}");
        assert!(!reading.byte_order_mark);
    }
    let marked = read(&format!("\u{feff}{RECORD}"));
    assert!(marked.byte_order_mark && marked.flaws.is_empty(), "{marked:?}");
}

#[test]
fn slips_are_named_with_their_place() {
    for (text, line, column, what) in [
        ("{\n  \"name\": \"ä\",\n}", 2, 14, What::TrailingComma),
        ("[1, 2, ]", 1, 6, What::TrailingComma),
        ("{\n  // a comment\n  \"name\": 1}", 2, 3, What::Comment),
        ("{\"name\": 1} /* after */", 1, 13, What::Comment),
        ("# first\n{}", 1, 1, What::Comment),
        ("{'name': 1}", 1, 2, What::SingleQuote),
        ("{\"name\": \"cut", 1, 14, What::CutOff),
        ("", 1, 1, What::CutOff),
        ("{\"a\": 1, \"é\": 2, \"a\": 3}", 1, 23, What::Duplicate("a".into())),
        ("{\"x\": [{\"b\": 1,\n\"b\": 2}]}", 2, 6, What::Duplicate("b".into())),
        (" [1]", 1, 2, What::NotARecord),
        ("\"text\"", 1, 1, What::NotARecord),
    ] {
        let found = only_flaw(text);
        assert_eq!(found, (line, column, what), "{text:?}");
        assert!(found.2.is_malformed());
    }
    assert!(matches!(only_flaw("{\"a\": nope}"), (1, _, What::NotJson(_))));
}

#[test]
fn fields_that_every_schema_asks_for_are_asked_for() {
    let missing = |fields: &[&'static str], entry| What::Missing { fields: fields.to_vec(), entry };
    for (text, expected) in [
        ("{}".to_owned(), missing(&["name", "description", "permissions", "contact"], None)),
        (RECORD.replace("\"a\"", "\"  \""), missing(&["name"], None)),
        (RECORD.replace("\"contact\"", "\"kontakt\""), missing(&["contact"], None)),
        (RECORD.replace(r#"{"email":"c@d.gov"}"#, "null"), missing(&["contact"], None)),
        (
            format!(r#"{{"releases":[{RECORD},{{}}]}}"#),
            missing(&["name", "description", "permissions", "contact"], Some(2)),
        ),
        (
            RECORD.replace("\"b\"", "7"),
            What::WrongType { field: "description", wanted: "a text in double quotes" },
        ),
        (
            RECORD.replace(r#"{"email":"c@d.gov"}"#, "\"c@d.gov\""),
            What::WrongType { field: "contact", wanted: "an object in braces" },
        ),
    ] {
        let (.., what) = only_flaw(&text);
        assert!(!what.is_malformed());
        assert_eq!(what, expected, "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    for text in ["[".repeat(100_000), format!("{}{}", "[".repeat(3000), "]".repeat(3000))] {
        let reading = read(&text);
        assert!(reading.flaws[0].what.is_malformed(), "{:?}", reading.flaws);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_has_a_reading(text in "\\PC{0,60}", json in "[\\[\\]{}\":,a-c0-9/'# \n]{0,60}") {
        for text in [text, json] {
            let reading = read(&text);
            let valid = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            proptest::prop_assert!(!valid || reading.shape.is_some() || !reading.flaws.is_empty());
            proptest::prop_assert!(valid || reading.shape.is_none());
        }
    }
}
