use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Document {
    Document::read(text.as_bytes(), &Limits::default()).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn fault(bytes: &[u8]) -> Fault {
    Document::read(bytes, &Limits::default()).expect_err("a fault")
}

#[test]
fn values_know_their_place() {
    let document = read("{\r\n  \"näme\": [1, {\"a/b~\": \"x\"}],\r\n\t\"last\": -1.50e3 }\r\n");
    let value = document.pointer("/näme/1/a~1b~0").unwrap();
    assert_eq!(value.raw(), "\"x\"");
    assert_eq!(value.pointer(), "/näme/1/a~1b~0");
    assert_eq!(value.place().to_string(), "2:24");
    let last = document.root().member("last").unwrap();
    assert_eq!(document.place(last.key_span.start).to_string(), "3:2");
    assert_eq!((last.value.raw(), last.value.as_f64()), ("-1.50e3", Some(-1500.0)));
    assert_eq!(document.pointer("/näme/7").map(Value::raw), None);
    assert!(document.is_json());
}

#[test]
fn escapes_are_resolved() {
    let document = read(r#"["\u00e9\n\"\\\/\ud83d\ude00", "\ud83d", "a\ud83dz"]"#);
    let texts: Vec<_> = document.root().items().filter_map(Value::as_str).collect();
    assert_eq!(texts, ["é\n\"\\/😀", "\u{fffd}", "a\u{fffd}z"]);
    assert_eq!(document.slips().len(), 2);
}

#[test]
fn slips_are_noted_and_reading_goes_on() {
    let text = "\u{feff}{ // c\n\"a\": 1,\n\"\\u0061\": [1, 2,]\n\"b\": \"\t\" /* d */,\n}";
    let document = read(text);
    let [first, later] = [0, 1].map(|at| document.root().nth(at).unwrap().id());
    let kinds: Vec<_> = document.slips().iter().map(|slip| slip.kind.clone()).collect();
    assert_eq!(
        kinds,
        [
            SlipKind::ByteOrderMark,
            SlipKind::Comment,
            SlipKind::DuplicateKey("a".into(), first, later),
            SlipKind::TrailingComma,
            SlipKind::MissingComma,
            SlipKind::ControlCharacter,
            SlipKind::Comment,
            SlipKind::TrailingComma,
        ]
    );
    assert_eq!(document.root().get("a").map(Value::raw), Some("[1, 2,]"), "the last one counts");
    assert_eq!(document.root().place().to_string(), "1:1", "a byte order mark takes no column");
    assert!(!document.is_json());
}

#[test]
fn faults_name_place_and_remedy() {
    for (text, place, expected) in [
        ("", "1:1", FaultKind::Empty),
        (" \n ", "1:1", FaultKind::Empty),
        ("{\"a\": 1", "1:8", FaultKind::CutOff('{', Place { line: 1, column: 1 })),
        ("[\n  {\"a\": \"x", "2:11", FaultKind::CutOff('"', Place { line: 2, column: 9 })),
        ("[tru", "1:5", FaultKind::CutOff('[', Place { line: 1, column: 1 })),
        ("[1 2]", "1:4", FaultKind::Expected("a comma")),
        ("{\"a\" 1}", "1:6", FaultKind::Expected("a colon")),
        ("{\"a\": }", "1:7", FaultKind::Expected("a value")),
        ("[,]", "1:2", FaultKind::Expected("a value")),
        ("[1}", "1:3", FaultKind::WrongBracket(']')),
        ("{\"a\": 1]", "1:8", FaultKind::WrongBracket('}')),
        ("{'a': 1}", "1:2", FaultKind::Quote),
        ("{“a”: 1}", "1:2", FaultKind::Quote),
        ("{a: 1}", "1:2", FaultKind::BareKey),
        ("{\"a\": True}", "1:7", FaultKind::BareWord(Some("true"))),
        ("{\"a\": openSource}", "1:7", FaultKind::BareWord(None)),
        ("[01]", "1:2", FaultKind::Number),
        ("[.5]", "1:2", FaultKind::Number),
        ("[1.]", "1:2", FaultKind::Number),
        ("[\"a\nb\"]", "1:2", FaultKind::OpenText),
        ("[\"C:\\dir\"]", "1:5", FaultKind::Escape),
        ("[\"\\u12\"]", "1:3", FaultKind::Escape),
        ("{} {}", "1:4", FaultKind::AfterTheEnd),
    ] {
        let fault = fault(text.as_bytes());
        assert_eq!((fault.kind.clone(), fault.place.to_string().as_str()), (expected, place), "{text}");
        assert!(!fault.kind.message().is_empty() && !fault.kind.remedy().is_empty());
    }
    let latin = fault(b"{\"a\": \"it\x92s\"}");
    assert_eq!((latin.kind, latin.place.column), (FaultKind::NotUtf8(0x92, '’'), 10));
    assert_eq!(fault(b"\xff\xfe{\0}\0").kind, FaultKind::Utf16);
}

#[test]
fn limits_hold() {
    let brackets = "[".repeat(200_000);
    assert_eq!(fault(brackets.as_bytes()).kind, FaultKind::TooDeep(64));
    let braces = "{\"a\":".repeat(200_000);
    assert_eq!(fault(braces.as_bytes()).kind, FaultKind::TooDeep(64));
    let large = vec![b' '; 50 * 1024 * 1024];
    assert_eq!(fault(&large).kind, FaultKind::TooLarge(32 * 1024 * 1024));
    let many = format!("[{}0]", "0,".repeat(5_000_000));
    assert_eq!(fault(many.as_bytes()).kind, FaultKind::TooManyValues(4_000_000));
    let wide: String = (0..100_000).map(|n| format!("\"k{n}\":0,")).collect();
    assert_eq!(read(&format!("{{{wide}\"k7\":1}}")).slips().len(), 1);
}

proptest! {
    /// What serde_json takes is taken, with the same values; and the other way
    /// round, if there was no slip.
    #[test]
    fn agrees_with_serde_json(text in r#"[\[\]{}:,"\\ntrue0-9.eE+ u\-]{0,24}"#) {
        let ours = Document::read(text.as_bytes(), &Limits::default());
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(theirs) => prop_assert_eq!(ours.unwrap().root().to_json(), theirs),
            Err(error) => {
                // Half a surrogate pair and numbers beyond 64 bits are theirs to refuse.
                let agreed = ours.map_or(true, |document| !document.is_json()
                    || error.to_string().contains("number out of range"));
                prop_assert!(agreed, "{text}: {error}");
            }
        }
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Document::read(&bytes, &Limits::default());
    }
}
