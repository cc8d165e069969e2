#[test]
fn a_label_has_the_number() {
    assert_eq!(labels::label(7), "parcel 7");
}
