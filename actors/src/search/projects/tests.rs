use super::*;

fn document(name: &str, description: &str, stack: &[&str], languages: &[&str]) -> Document {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Document {
        name: name.to_owned(),
        path: format!("/projects/{}", name.to_lowercase()),
        description: description.to_owned(),
        tech_stack: owned(stack),
        languages: owned(languages),
        ..Document::default()
    }
}

fn index() -> ProjectIndex {
    let mut shop = document(
        "Shop",
        "Sells books and records",
        &["Django", "PostgreSQL"],
        &["Python"],
    );
    shop.readme = "# Shop\nA shop with a cart and invoices.".to_owned();
    let mut gate = document("gatekeeper", "Login for all services", &["Axum", "Redis"], &["Rust"]);
    gate.dependencies = vec!["tokio".to_owned(), "jsonwebtoken".to_owned()];
    let documents = [
        shop,
        gate,
        document("MyWebApp", "Customer portal", &["React", "Express"], &["TypeScript"]),
        document("infra", "Cluster setup", &["Kubernetes", "Terraform"], &["HCL"]),
        document("notes", "Notes on a shop", &[], &["Markdown"]),
        document("booking", "Books rooms", &["Rails", "MySQL"], &["Ruby"]),
    ];
    ProjectIndex::new(
        documents
            .into_iter()
            .zip(1..)
            .map(|(document, id)| (ProjectId(id), document)),
    )
}

fn found(query: &str) -> Vec<i64> {
    index().search(query, 10).iter().map(|hit| hit.project.0).collect()
}

#[test]
fn the_name_counts_most_and_its_whole_is_a_sure_hit() {
    assert_eq!(found("shop"), [1, 5]);
    let hits = index().search("my web app", 10);
    assert_eq!(hits[0].project, ProjectId(3));
    let whole = index().search("shop", 1);
    assert!(whole[0].relevance_score > 0.95);
    assert_eq!(whole[0].matched, [Field::Name, Field::Path, Field::Readme]);
}

#[test]
fn other_names_of_the_same_thing_find_it() {
    assert_eq!(found("postgres"), [1]);
    assert_eq!(found("k8s"), [4]);
    assert_eq!(found("ts"), [3]);
    assert_eq!(found("service"), [2]);
}

#[test]
fn a_technology_is_found_by_what_it_implies() {
    assert_eq!(found("python web"), [1, 3, 2, 6]);
    assert_eq!(found("database").len(), 3);
    assert_eq!(index().search("frontend", 1)[0].matched, [Field::TechStack]);
}

#[test]
fn typing_errors_are_forgiven() {
    assert_eq!(found("djagno"), [1]);
    assert_eq!(found("kuberntes"), [4]);
    assert_eq!(found("gatekeper"), [2]);
    assert_eq!(found("gate"), [2]);
    assert_eq!(found("zzzzzz"), Vec::<i64>::new());
    assert!(index().search("djagno", 1)[0].relevance_score < index().search("django", 1)[0].relevance_score);
}

#[test]
fn scores_are_between_0_and_1_and_the_order_is_always_the_same() {
    let first = index().search("shop books web python service", 10);
    assert!(first.len() >= 4);
    assert!(
        first
            .iter()
            .all(|hit| hit.relevance_score > 0.0 && hit.relevance_score <= 1.0)
    );
    for _ in 0..5 {
        assert_eq!(index().search("shop books web python service", 10), first);
    }
}

#[test]
fn nothing_finds_nothing_and_a_limit_is_kept() {
    assert_eq!(found(""), Vec::<i64>::new());
    assert_eq!(found(" ... "), Vec::<i64>::new());
    assert_eq!(index().search("web", 2).len(), 2);
    assert!(ProjectIndex::default().search("shop", 3).is_empty());
}
