//! The page holds everything, needs nothing, and takes text for text.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::*;
use crate::report::{Report, sample};
use crate::thresholds::Thresholds;

/// Elements that HTML never closes.
const VOID: [&str; 4] = ["meta", "br", "hr", "img"];

fn name(tag: &[u8]) -> String {
    String::from_utf8_lossy(tag).into_owned()
}

fn assert_asks_for_nothing(element: &BytesStart) {
    let tag = name(element.name().as_ref());
    assert!(!["script", "link", "img", "iframe", "object", "a", "use", "image"].contains(&tag.as_str()), "<{tag}>");
    for attribute in element.attributes() {
        let attribute = attribute.expect("a legal attribute");
        let (key, value) = (name(attribute.key.as_ref()), name(&attribute.value));
        assert!(!["src", "href", "xlink:href", "srcset"].contains(&key.as_str()) && !key.starts_with("on"), "{key}={value}");
        assert!(key == "xmlns" || !value.contains("://") && !value.contains("url("), "{key}={value}");
    }
}

/// Every element is closed by its own name, and none asks for anything from elsewhere.
fn assert_whole_and_offline(page: &str) {
    let mut reader = Reader::from_str(page);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(element) => {
                assert_asks_for_nothing(&element);
                let tag = name(element.name().as_ref());
                if !VOID.contains(&tag.as_str()) {
                    open.push(tag);
                }
            }
            Event::End(element) => assert_eq!(open.pop(), Some(name(element.name().as_ref()))),
            Event::Empty(element) => assert_asks_for_nothing(&element),
            Event::Text(text) => assert!(!name(&text).contains("@import") && !name(&text).contains("url("), "{text:?}"),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn a_full_page_has_everything_and_needs_nothing() {
    let page = page(&sample::full(), None);
    assert_whole_and_offline(&page);
    assert_eq!(page.matches("<svg").count(), 14);
    for words in ["FAILED", "divergences was 2", "1,500 users", "Gaps under 1.5 ticks", "Capacity", "m-17", "m-3", "Position"] {
        assert!(page.contains(words), "{words} is missing");
    }
}

#[test]
fn an_empty_page_is_a_page() {
    let page = page(&sample::empty(), None);
    assert_whole_and_offline(&page);
    assert!(!page.contains("<svg") && !page.contains("NaN") && page.contains("<h1>0 users</h1>"), "{page}");
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "</style><script>alert('\"&</script><img src=x onerror=alert(1)>".to_owned();
    let mut report = sample::full();
    for text in [
        &mut report.run.command,
        &mut report.run.server,
        &mut report.run.game,
        &mut report.run.mode,
        &mut report.run.mix,
        &mut report.run.network,
        &mut report.run.version,
        &mut report.generator.machine,
        &mut report.divergences[0].component,
        &mut report.stalls[0].match_id,
        &mut report.bounds[0].figure,
        &mut report.verdict.cause,
    ] {
        text.clone_from(&hostile);
    }
    report.divergences[1].match_id.clone_from(&hostile);
    report.generator.saturated = true;
    report.generator.reasons = vec![hostile.clone()];
    report.verdict.failures = vec![hostile.clone()];
    report.verdict.warnings = vec![hostile.clone()];
    report.errors = [(hostile.clone(), 1)].into();
    report.counts.closes = [(hostile.clone(), 1)].into();
    report.capacity.as_mut().expect("a search").reason.clone_from(&hostile);
    let against = Comparison { then: Report { capacity: None, ..report.clone() }, path: hostile };
    report.run.mix.push('!');
    let page = page(&report, Some(&against));
    assert_whole_and_offline(&page);
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script") && !page.contains("<img"));
}

#[test]
fn an_earlier_run_is_beside_and_behind_this_one() {
    let mut then = sample::full();
    then.run.users = 1000;
    let page = page(&sample::full(), Some(&Comparison { then, path: "then.json".into() }));
    assert_whole_and_offline(&page);
    for words in ["Then and now", "1000 then, 1500 now", "gap between snapshots, p99", "p99, then", "opacity=\"0.4\""] {
        assert!(page.contains(words), "{words} is missing");
    }
}

#[test]
fn a_bound_is_beside_its_figure_and_in_its_plot() {
    let mut report = sample::full();
    Thresholds::default_level(true).judge(&mut report);
    let page = page(&report, None);
    for words in ["must be = 0: broken", "must be &gt;= 99 %", "bound, ten seconds", "asked for", "BROKEN"] {
        assert!(page.contains(words), "{words} is missing");
    }
}
