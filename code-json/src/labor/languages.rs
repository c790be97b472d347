//! How languages write comments and texts.

/// What is known of a language's way to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Language {
    /// For people.
    pub(super) name: &'static str,
    /// What begins a comment to the end of the line.
    pub(super) line: &'static [&'static str],
    /// What begins and ends a comment of several lines.
    pub(super) block: &'static [(&'static str, &'static str)],
    /// Whether blocks nest.
    pub(super) nests: bool,
    /// What begins and ends a text, in which no comment begins; the longest
    /// first. A backslash takes the next character along.
    pub(super) quotes: &'static [(&'static str, &'static str)],
}

const NONE: &[(&str, &str)] = &[];
const C: &[(&str, &str)] = &[("/*", "*/")];
const ANGLE: &[(&str, &str)] = &[("<!--", "-->")];
const DOUBLE: &[(&str, &str)] = &[("\"", "\"")];
const BOTH: &[(&str, &str)] = &[("\"", "\""), ("'", "'")];
const SCRIPT: &[(&str, &str)] = &[("`", "`"), ("\"", "\""), ("'", "'")];
const PYTHON: &[(&str, &str)] = &[("\"\"\"", "\"\"\""), ("'''", "'''"), ("\"", "\""), ("'", "'")];
const SINGLE: &[(&str, &str)] = &[("'", "'")];

const fn of(
    name: &'static str,
    line: &'static [&'static str],
    block: &'static [(&'static str, &'static str)],
    quotes: &'static [(&'static str, &'static str)],
) -> Language {
    Language { name, line, block, nests: false, quotes }
}

const fn nesting(language: Language) -> Language {
    Language { nests: true, ..language }
}

/// Languages by the ends of file names, in lower case. Data and prose (JSON,
/// YAML, Markdown, CSV) are no source lines.
const ENDS: &[(&[&str], Language)] = &[
    (&["rs"], nesting(of("Rust", &["//"], C, DOUBLE))),
    (&["c", "h"], of("C", &["//"], C, DOUBLE)),
    (&["cc", "cpp", "cxx", "hh", "hpp", "hxx", "ino", "cu", "cuh"], of("C++", &["//"], C, DOUBLE)),
    (&["m", "mm"], of("Objective-C or MATLAB", &["//", "%"], C, DOUBLE)),
    (&["cs", "csx"], of("C#", &["//"], C, DOUBLE)),
    (&["java", "groovy", "gradle"], of("Java", &["//"], C, BOTH)),
    (&["kt", "kts"], nesting(of("Kotlin", &["//"], C, DOUBLE))),
    (&["scala", "sc"], nesting(of("Scala", &["//"], C, DOUBLE))),
    (&["swift"], nesting(of("Swift", &["//"], C, DOUBLE))),
    (&["dart"], nesting(of("Dart", &["//"], C, BOTH))),
    (&["go"], of("Go", &["//"], C, SCRIPT)),
    (&["zig"], of("Zig", &["//"], NONE, DOUBLE)),
    (&["v", "sv", "svh"], of("Verilog", &["//"], C, DOUBLE)),
    (&["vhd", "vhdl"], of("VHDL", &["--"], C, DOUBLE)),
    (&["js", "mjs", "cjs", "jsx"], of("JavaScript", &["//"], C, SCRIPT)),
    (&["ts", "mts", "cts", "tsx"], of("TypeScript", &["//"], C, SCRIPT)),
    (&["vue", "svelte", "astro"], of("Web component", &["//"], &[("/*", "*/"), ("<!--", "-->")], NONE)),
    (&["css"], of("CSS", &[], C, BOTH)),
    (&["scss", "sass", "less", "styl"], of("Style sheet", &["//"], C, BOTH)),
    (
        &["html", "htm", "xhtml", "cshtml", "erb", "hbs", "ejs", "mustache", "j2", "jinja", "twig", "liquid"],
        of("HTML", &[], ANGLE, NONE),
    ),
    (&["xsl", "xslt", "xaml", "xsd", "wsdl"], of("XML program", &[], ANGLE, NONE)),
    (
        &["jsp", "jspx", "cfm", "cfc", "aspx", "ascx"],
        of("Server page", &["//"], &[("/*", "*/"), ("<!--", "-->"), ("<%--", "--%>")], NONE),
    ),
    (&["php", "phtml", "inc", "module", "install", "theme"], of("PHP", &["//", "#"], C, BOTH)),
    (&["py", "pyw", "pyx", "pxd", "smk"], of("Python", &["#"], NONE, PYTHON)),
    (&["rb", "rake", "gemspec"], of("Ruby", &["#"], &[("=begin", "=end")], BOTH)),
    (&["pl", "pm", "t"], of("Perl", &["#"], &[("=pod", "=cut"), ("=head1", "=cut")], BOTH)),
    (&["sh", "bash", "zsh", "ksh", "fish", "bats"], of("Shell", &["#"], NONE, BOTH)),
    (&["ps1", "psm1", "psd1"], of("PowerShell", &["#"], &[("<#", "#>")], BOTH)),
    (&["bat", "cmd"], of("Batch", &["rem ", "::"], NONE, NONE)),
    (&["r", "rmd", "qmd"], of("R", &["#"], NONE, BOTH)),
    (&["jl"], nesting(of("Julia", &["#"], &[("#=", "=#")], DOUBLE))),
    (&["ex", "exs"], of("Elixir", &["#"], NONE, PYTHON)),
    (&["erl", "hrl"], of("Erlang", &["%"], NONE, DOUBLE)),
    (&["hs", "lhs", "purs", "elm"], nesting(of("Haskell", &["--"], &[("{-", "-}")], DOUBLE))),
    (&["ml", "mli", "fs", "fsi", "fsx"], nesting(of("ML", &["//"], &[("(*", "*)")], DOUBLE))),
    (&["clj", "cljs", "cljc", "edn", "lisp", "el", "scm", "rkt", "ss"], of("Lisp", &[";"], NONE, DOUBLE)),
    (&["lua"], of("Lua", &["--"], &[("--[[", "]]")], BOTH)),
    (&["sql", "pls", "plsql", "pkb", "pks", "ddl"], of("SQL", &["--"], C, SINGLE)),
    (&["f", "for", "f77", "ftn"], of("Fortran, fixed form", &["!"], NONE, BOTH)),
    (&["f90", "f95", "f03", "f08"], of("Fortran", &["!"], NONE, BOTH)),
    (&["cob", "cbl", "cpy"], of("COBOL", &["*>"], NONE, BOTH)),
    (&["ada", "adb", "ads"], of("Ada", &["--"], NONE, DOUBLE)),
    (&["pas", "dpr", "pp"], of("Pascal", &["//"], &[("{", "}"), ("(*", "*)")], SINGLE)),
    (&["vb", "vbs", "bas", "frm", "cls"], of("Visual Basic", &["'"], NONE, DOUBLE)),
    (&["asm", "s"], of("Assembly", &[";", "#", "//"], C, NONE)),
    (&["sas"], of("SAS", &[], C, BOTH)),
    (&["do", "ado"], of("Stata", &["//", "*"], C, DOUBLE)),
    (&["nb", "wl"], nesting(of("Wolfram", &[], &[("(*", "*)")], DOUBLE))),
    (&["pro"], of("IDL", &[";"], NONE, BOTH)),
    (&["tcl"], of("Tcl", &["#"], NONE, DOUBLE)),
    (&["nim"], nesting(of("Nim", &["#"], &[("#[", "]#")], DOUBLE))),
    (&["cr"], of("Crystal", &["#"], NONE, DOUBLE)),
    (&["coffee"], of("CoffeeScript", &["#"], &[("###", "###")], BOTH)),
    (&["sol"], of("Solidity", &["//"], C, BOTH)),
    (&["proto", "thrift"], of("Interface description", &["//"], C, BOTH)),
    (&["graphql", "gql"], of("GraphQL", &["#"], NONE, DOUBLE)),
    (&["tf", "hcl"], of("HCL", &["#", "//"], C, DOUBLE)),
    (&["bicep"], of("Bicep", &["//"], C, SINGLE)),
    (&["nix"], of("Nix", &["#"], C, DOUBLE)),
    (&["rego"], of("Rego", &["#"], NONE, DOUBLE)),
    (&["cmake"], of("CMake", &["#"], &[("#[[", "]]")], DOUBLE)),
    (&["mk", "mak", "ninja"], of("Makefile", &["#"], NONE, NONE)),
    (&["apex", "trigger"], of("Apex", &["//"], C, SINGLE)),
    (&["abap"], of("ABAP", &["*", "\""], NONE, SINGLE)),
    (&["glsl", "vert", "frag", "hlsl", "wgsl", "metal"], of("Shader", &["//"], C, NONE)),
    (&["awk"], of("AWK", &["#"], NONE, DOUBLE)),
    (&["feature"], of("Gherkin", &["#"], NONE, NONE)),
];

/// Languages by whole file names, in lower case.
const NAMES: &[(&str, Language)] = &[
    ("makefile", of("Makefile", &["#"], NONE, NONE)),
    ("gnumakefile", of("Makefile", &["#"], NONE, NONE)),
    ("cmakelists.txt", of("CMake", &["#"], NONE, DOUBLE)),
    ("dockerfile", of("Dockerfile", &["#"], NONE, NONE)),
    ("containerfile", of("Dockerfile", &["#"], NONE, NONE)),
    ("jenkinsfile", of("Java", &["//"], C, BOTH)),
    ("rakefile", of("Ruby", &["#"], NONE, BOTH)),
    ("vagrantfile", of("Ruby", &["#"], NONE, BOTH)),
    ("snakefile", of("Python", &["#"], NONE, PYTHON)),
];

/// The language of a file, by its name; None if it is no source code.
pub(super) fn of_path(path: &str) -> Option<&'static Language> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if let Some((_, language)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(language);
    }
    let (stem, end) = name.rsplit_once('.')?;
    let is_known = |(ends, _): &&(&[&str], Language)| ends.contains(&end);
    (!stem.is_empty()).then(|| ENDS.iter().find(is_known).map(|(_, language)| language)).flatten()
}
