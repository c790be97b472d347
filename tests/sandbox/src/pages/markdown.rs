//! GitHub-flavoured Markdown as safe HTML.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
}

/// Renders a text. HTML in it is shown as text, except for what folds
/// (`details`, `summary`); comments are hidden, links
/// lead to http, https, mailto or within the page only, images become links.
/// Task boxes are buttons named `box` with their position if `tickable`.
pub(super) fn render(text: &str, tickable: bool) -> String {
    let mut boxes = 0;
    let mut block: Option<String> = None;
    let events = Parser::new_ext(text, options()).filter_map(|event| {
        Some(match event {
            // A comment may span the lines of a block, so a block is read whole.
            Event::Start(Tag::HtmlBlock) => {
                block = Some(String::new());
                return None;
            }
            Event::Html(html) => match &mut block {
                Some(block) => {
                    block.push_str(&html);
                    return None;
                }
                None => Event::Text(html),
            },
            Event::End(TagEnd::HtmlBlock) => {
                Event::Html(with_folds(&without_comments(&block.take()?)).into())
            }
            Event::InlineHtml(html) => Event::Text(without_comments(&html).into()),
            Event::TaskListMarker(ticked) => {
                let marker = task(boxes, ticked, tickable);
                boxes += 1;
                Event::InlineHtml(marker.into())
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id })
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id })
            }
            Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
            event => event,
        })
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

fn task(position: usize, ticked: bool, tickable: bool) -> String {
    let (sign, word) = if ticked { ("☑", "untick") } else { ("☐", "tick") };
    if tickable {
        format!(
            "<button class=\"box\" name=\"box\" value=\"{position}\" aria-label=\"{word}\">{sign}</button> "
        )
    } else {
        format!("<span class=\"box\">{sign}</span> ")
    }
}

/// HTML as text, with the tags that fold left in force.
fn with_folds(html: &str) -> String {
    let mut out = html.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    for tag in ["details", "/details", "summary", "/summary"] {
        out = out.replace(&format!("&lt;{tag}&gt;"), &format!("<{tag}>"));
    }
    out
}

/// The text without its HTML comments; one that is not closed hides the rest.
fn without_comments(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

fn harmless(url: CowStr<'_>) -> CowStr<'_> {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let before_path = scheme.filter(|scheme| !scheme.contains(['/', '?', '#']));
    match before_path.as_deref() {
        None | Some("http" | "https" | "mailto") => url,
        Some(_) => CowStr::Borrowed("#"),
    }
}

/// The text with one task box turned over; `None` if it has no such box.
pub(super) fn toggled(text: &str, position: usize) -> Option<String> {
    let mut boxes =
        Parser::new_ext(text, options()).into_offset_iter().filter_map(|(event, at)| match event {
            Event::TaskListMarker(ticked) => Some((ticked, at)),
            _ => None,
        });
    let (ticked, at) = boxes.nth(position)?;
    let mut out = text.to_owned();
    out.replace_range(at, if ticked { "[ ]" } else { "[x]" });
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_others_is_text_and_comments_are_hidden() {
        let html = render(
            "a <b>c</b> <!-- marker --> d\n\n<script>\nalert(1)\n</script>\n\n<!-- one\ntwo -->\n",
            false,
        );
        assert!(html.contains("&lt;b&gt;c&lt;/b&gt;") && html.contains("&lt;script&gt;"), "{html}");
        assert!(!html.contains("marker") && !html.contains("two") && !html.contains("<script"), "{html}");
    }

    #[test]
    fn links_run_nothing_and_images_load_nothing() {
        let html =
            render("[a](JavaScript:alert) [b](https://x.gov/) [c](/d:e) ![f](https://x.gov/g.png)", false);
        assert_eq!(
            html.trim(),
            "<p><a href=\"#\">a</a> <a href=\"https://x.gov/\">b</a> <a href=\"/d:e\">c</a> \
             <a href=\"https://x.gov/g.png\">f</a></p>"
        );
    }

    #[test]
    fn a_task_box_turns_over_where_it_stands() {
        let text = "- [ ] one\r\n- [x] two\r\n\r\n`- [ ] not one`\r\n";
        assert_eq!(toggled(text, 0).as_deref(), Some("- [x] one\r\n- [x] two\r\n\r\n`- [ ] not one`\r\n"));
        assert_eq!(toggled(text, 1).as_deref(), Some("- [ ] one\r\n- [ ] two\r\n\r\n`- [ ] not one`\r\n"));
        assert_eq!(toggled(text, 2), None);
        assert!(render(text, true).contains("value=\"1\" aria-label=\"untick\""));
    }

    #[test]
    fn what_folds_stays_in_force_and_nothing_else_does() {
        let html = render("<details><summary>More & more</summary>\n\nText\n\n</details>\n", false);
        assert!(html.starts_with("<details><summary>More &amp; more</summary>"), "{html}");
        assert!(html.trim_end().ends_with("</details>"), "{html}");
        let html = render("<details onclick=\"x\"><script>x</script></details>\n", false);
        assert!(html.starts_with("&lt;details onclick"), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }
}
