use super::*;

fn report(source: &str, html: bool) -> Report {
    let template = Template::compile(source).expect(source);
    let footer = Template::compile("{{campaign.contact}} {{#if person.desk}}{{/if}}").unwrap();
    let wrong = Template::compile("\n {{campaing.name}}").unwrap();
    let itself = Template::compile("{{> itself}}").unwrap();
    let partials = BTreeMap::from([
        ("footer".to_owned(), (&footer, Path::new("footer.text.hbs"))),
        ("wrong".to_owned(), (&wrong, Path::new("wrong.text.hbs"))),
        ("itself".to_owned(), (&itself, Path::new("itself.text.hbs"))),
    ]);
    let vocabulary = Vocabulary { facts: &["network".to_owned(), "serial".to_owned()], partials: &partials, html };
    lint(&template, Path::new("text.hbs"), &vocabulary)
}

fn said(source: &str) -> Vec<String> {
    let findings = report(source, false).findings;
    findings.iter().map(|f| format!("{}: {}; {}", f.place.as_ref().unwrap(), f.cause, f.remedy)).collect()
}

#[test]
fn what_exists_may_be_named() {
    for source in [
        "{{person.name}} {{facts.network}} {{change.local}}",
        "{{#if ack.due}}{{ack.due}}{{else if package}}{{package.name}}{{else}}{{campaign.name}}{{/if}}",
        "{{#each package.files}}{{name}} {{this.size}} {{@index}} {{../campaign.name}} {{@root.person.id}}{{/each}}",
        "{{#each facts}}{{@key}}={{this}}{{/each}}",
        "{{#with campaign}}{{title}}{{/with}}",
        "{{#unless (eq person.kind \"remote\")}}{{len package.files}}{{/unless}}",
        "{{#if (and ack.code_asked (not notice.count))}}x{{/if}}",
        "{{> footer}} {{! a comment }}",
        "{{{campaign.title}}}",
    ] {
        assert_eq!(said(source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn a_name_that_does_not_exist_is_found_where_strict_rendering_is_silent() {
    assert_eq!(
        said("Hi\n  {{#if packege}}x{{/if}}"),
        ["text.hbs:2:3: there is no 'packege' here; did you mean 'package'?"]
    );
    for source in [
        "{{nmae}}",
        "{{person}}",
        "{{facts.serail}}",
        "{{#if a}}{{/if}}",
        "{{#if ack.due}}{{else if typo}}{{/if}}",
        "{{#unless (eq kind 1)}}{{/unless}}",
        "{{#each package.files}}{{campaign.name}}{{/each}}",
        "{{#each package.files}}{{../../../nothing}}{{/each}}",
        "{{#each campaign.name}}{{/each}}",
        "{{#each typo}}{{unknown.inside}}{{/each}}",
        "{{@index}}",
        "{{@root.nothing}}",
        "{{change.local.year}}",
        "{{#with campaign}}{{name.first}}{{/with}}",
    ] {
        assert_eq!(said(source).len(), 1, "{source}: {:?}", said(source));
    }
}

#[test]
fn helpers_partials_and_syntax_are_a_closed_list() {
    for source in [
        "{{upper person.name}}",
        "{{#repeat person.name}}{{/repeat}}",
        "{{#if (typo person.name)}}{{/if}}",
        "{{#if (eq person.name)}}{{/if}}",
        "{{#if}}{{/if}}",
        "{{#each package.files as |file|}}{{name}}{{/each}}",
        "{{lookup person \"name\"}}",
        "{{> fotter}}",
        "{{> footer person}}",
        "{{> footer a=1}}",
        "{{#each package.files}}{{> footer}}{{/each}}",
        "{{> itself}}",
        "{{#> footer}}x{{/footer}}",
        "{{* inline}}",
        "{{#*inline \"x\"}}{{/inline}}",
        "{{{{raw}}}}x{{{{/raw}}}}",
    ] {
        assert_eq!(said(source).len(), 1, "{source}: {:?}", said(source));
    }
}

#[test]
fn a_mistake_in_a_partial_is_told_where_it_stands() {
    let said = said("{{> wrong}}");
    assert_eq!(said, ["wrong.text.hbs:2:2: there is no 'campaing.name' here; did you mean 'campaign'?"]);
}

#[test]
fn nothing_goes_into_html_unescaped() {
    for source in ["{{{person.name}}}", "{{&person.name}}", "{{#if ack}}{{{ack.word}}}{{/if}}"] {
        assert_eq!(report(source, true).findings[0].code, "template-unescaped", "{source}");
        assert!(report(source, false).findings.is_empty(), "{source}");
    }
    assert!(report("{{person.name}}", true).findings.is_empty());
}

#[test]
fn columns_of_the_site_are_asked_for_later() {
    let report = report("{{person.Room}}\n{{about.[Cost centre]}} {{> footer}}", false);
    assert_eq!(report.findings, []);
    let columns: Vec<_> = report.columns.iter().map(|(place, column)| format!("{place} {column}")).collect();
    assert_eq!(columns, ["footer.text.hbs:1:22 desk", "text.hbs:1:1 Room", "text.hbs:2:1 Cost centre"]);
}
