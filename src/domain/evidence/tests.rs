use super::{signature::Signer, *};
use crate::domain::repository::RepositoryId;

const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";
const AS_OF: &str = "2026-11-22T14:05:09Z";

fn manifest(files: &[(&str, &[u8])], signer: Option<&Signer>) -> Manifest {
    Manifest {
        agency: "X<A".to_owned(),
        organizations: vec!["agency".to_owned()],
        internal: false,
        as_of_day: None,
        not_kept: Vec::new(),
        tool: Tool { name: "muster", version: "0.1.0" },
        policy: Some(PolicyUsed { source: "built-in", digest: "d<".to_owned(), oid: None, taken_at: None }),
        registers: vec![RegisterUsed {
            organization: "<script>alert(1)</script>".to_owned(),
            repository: RepositoryId(1),
            commit: "c".to_owned(),
            oid: "o".to_owned(),
            refused: false,
        }],
        fiscal_year: "2026".parse().unwrap(),
        exemptions: Exempted::default(),
        ledger: Ledger { entries: 1, head: Some("h\"".to_owned()) },
        publications: Vec::new(),
        inputs: Inputs::default(),
        files: files.iter().map(|(path, bytes)| Listed::of(path, bytes)).collect(),
        signature: signer.map(|signer| Signed::by(signer.public())),
    }
}

/// The files of a bundle, as the command lays them out.
fn bundle(signer: Option<&Signer>) -> Vec<(String, Vec<u8>)> {
    let files: [(&str, &[u8]); 2] = [("published/code.json", b"{}"), ("reports/gaps.csv", b"a,b\r\n")];
    let mut text = serde_json::to_value(manifest(&files, signer)).unwrap();
    text["schema"] = SCHEMA.into();
    text["as_of"] = AS_OF.into();
    let text = text.to_string().into_bytes();
    let mut all = vec![(MANIFEST.to_owned(), text.clone())];
    if let Some(signer) = signer {
        all.push((SIGNATURE.to_owned(), signer.sign(&text)));
        all.push((KEY.to_owned(), signer.public().to_pem().into_bytes()));
    }
    all.extend(files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
    all
}

fn checked(files: &[(String, Vec<u8>)], key: Option<PublicKey>) -> (Vouched, Vec<String>) {
    let archive = zip::write(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))).unwrap();
    let checked = check(&zip::read(&archive).unwrap(), key).unwrap();
    assert_eq!((checked.agency.as_str(), checked.files), ("X<A", 2));
    let fault = |fault: Fault| format!("{}: {}", fault.file, fault.what);
    (checked.vouched, checked.faults.into_iter().map(fault).collect())
}

#[test]
fn what_was_changed_removed_or_added_is_named() {
    let signer = Signer::from_pem(PRIVATE).unwrap();
    for signer in [None, Some(&signer)] {
        let whole = bundle(signer);
        assert_eq!(checked(&whole, None).1, Vec::<String>::new());
        for at in 0..whole.len() {
            let mut other = whole.clone();
            let (name, bytes) = &mut other[at];
            let (name, last) = (name.clone(), bytes.len() - 1);
            if name == MANIFEST {
                continue;
            }
            bytes[last] ^= 1;
            let (vouched, faults) = checked(&other, None);
            // The line end behind a key says nothing.
            if name != KEY {
                assert_eq!(faults.len(), 1, "{name}: {faults:?}");
                assert!(faults[0].starts_with(&format!("{name}: ")), "{faults:?}");
            }
            assert_eq!(vouched == Vouched::Nobody, signer.is_none() || name == SIGNATURE, "{name}");
            let mut other = whole.clone();
            other.remove(at);
            assert_eq!(checked(&other, None).1, [format!("{name}: it is missing")]);
        }
        let mut other = whole.clone();
        other.push(("reports/more.csv".to_owned(), Vec::new()));
        assert_eq!(
            checked(&other, None).1,
            ["reports/more.csv: it was added: the manifest does not list it"]
        );
        let mut other = whole.clone();
        other[whole.len() - 1].1.push(b'x');
        assert_eq!(checked(&other, None).1, ["reports/gaps.csv: it has 6 bytes, and had 5"]);
    }
}

#[test]
fn a_signature_proves_what_it_proves() {
    let (ours, theirs) = (Signer::from_pem(PRIVATE).unwrap(), {
        let der = aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new());
        let der = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der.unwrap());
        Signer::from_pem(&format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n")).unwrap()
    });
    assert_eq!(checked(&bundle(None), None), (Vouched::Nobody, vec![]));
    assert_eq!(checked(&bundle(Some(&ours)), None), (Vouched::ItsOwnKey, vec![]));
    assert_eq!(checked(&bundle(Some(&ours)), Some(ours.public())), (Vouched::GivenKey, vec![]));
    // Somebody made it anew and signed it.
    let (vouched, faults) = checked(&bundle(Some(&theirs)), Some(ours.public()));
    assert_eq!(vouched, Vouched::ItsOwnKey);
    assert_eq!(faults, ["manifest.sig: it was not made with the key that you gave"]);
    // Somebody took the signature away.
    let (vouched, faults) = checked(&bundle(None), Some(ours.public()));
    assert_eq!(vouched, Vouched::Nobody);
    assert_eq!(faults, ["manifest.json: it is not signed, so the key proves nothing"]);
    let mut unsigned = bundle(None);
    unsigned.push((SIGNATURE.to_owned(), vec![0; 64]));
    assert_eq!(checked(&unsigned, None).1, ["manifest.sig: it was added: the manifest does not list it"]);
    // The manifest was changed, and not the signature.
    let mut changed = bundle(Some(&ours));
    changed[0].1 =
        String::from_utf8(changed[0].1.clone()).unwrap().replace("built-in", "operator").into_bytes();
    let (vouched, faults) = checked(&changed, Some(ours.public()));
    assert_eq!((vouched, faults.len()), (Vouched::Nobody, 1), "{faults:?}");
}

#[test]
fn what_cannot_be_checked_says_why() {
    let of = |manifest: &str| {
        let archive = zip::write([(MANIFEST, manifest.as_bytes())]).unwrap();
        check(&zip::read(&archive).unwrap(), None).unwrap_err().to_string()
    };
    assert!(of("{").contains("manifest.json cannot be read"), "{}", of("{"));
    assert!(of("{}").contains("missing field"), "{}", of("{}"));
    assert!(of(r#"{"schema": "evidence-2"}"#).contains("a newer one"));
    let archive = zip::write([("a", &b""[..])]).unwrap();
    assert_eq!(check(&zip::read(&archive).unwrap(), None), Err(Unreadable::NoManifest));
}

#[test]
fn the_page_shows_others_words_and_runs_nothing() {
    let signer = Signer::from_pem(PRIVATE).unwrap();
    let files: [(&str, &[u8]); 1] = [("published/code.json", b"{}")];
    let manifest = manifest(&files, Some(&signer));
    let page = page(&manifest, AS_OF.parse().unwrap(), &manifest.files);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script"), "{page}");
    assert!(
        page.contains("X&lt;A")
            && page.contains("h&quot;")
            && page.contains("<a href=\"published/code.json\">")
    );
    assert!(!page.contains("://"), "it loads nothing");
}
