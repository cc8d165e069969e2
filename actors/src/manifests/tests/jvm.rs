//! Java and Kotlin.

use super::*;

const POM: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.3.0</version></parent>
  <groupId>org.example</groupId>
  <artifactId>shop</artifactId>
  <version>1.0</version>
  <description>The
    shop</description>
  <licenses><license><name>Apache License, Version 2.0</name></license></licenses>
  <properties><pg.version>42.7.4</pg.version></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>com.h2database</groupId><artifactId>h2</artifactId><version>2.3.232</version></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>${pg.version}</version></dependency>
    <dependency><groupId>com.h2database</groupId><artifactId>h2</artifactId><scope>test</scope></dependency>
    <dependency><groupId>org.example</groupId><artifactId>model</artifactId><version>${project.version}</version></dependency>
    <dependency><groupId>org.example</groupId><artifactId>range</artifactId><version>[1,2)</version><optional>true</optional></dependency>
    <dependency><groupId>org.example</groupId><artifactId>outside</artifactId><version>${set.elsewhere}</version></dependency>
  </dependencies>
</project>"#;

#[test]
fn a_project_of_maven_is_read() {
    let findings = project(&[("pom.xml", POM)]);
    assert_eq!(
        lines(&findings),
        [
            "com.h2database:h2 2.3.232 2.3.232 Dev Registry",
            "org.example:model 1.0 1.0 Runtime Registry",
            "org.example:outside - - Runtime Registry",
            "org.example:range [1,2) - Optional Registry",
            "org.postgresql:postgresql 42.7.4 42.7.4 Runtime Registry",
            "org.springframework.boot:spring-boot-starter-web - - Runtime Registry",
        ]
    );
    assert_eq!(findings.unpinned, 1);
    assert_eq!(findings.drift, []);
    assert_eq!(findings.tech_stack(), ["java", "spring-boot", "postgresql", "maven"]);
    assert_eq!(findings.project_type, "api");
    assert_eq!(findings.licence.as_deref(), Some("Apache-2.0"));
    assert_eq!(findings.description.as_deref(), Some("The shop"));
}

#[test]
fn modules_of_maven_are_members() {
    let root = "<project><artifactId>root</artifactId><packaging>pom</packaging><modules><module>a</module><module>b</module></modules></project>";
    let module = "<project><artifactId>m</artifactId></project>";
    let findings = project(&[
        ("pom.xml", root),
        ("a/pom.xml", module),
        ("b/pom.xml", module),
        ("c/pom.xml", module),
    ]);
    assert_eq!(findings.workspaces[0].members, ["a", "b"]);
    assert_eq!(findings.project_type, "monorepo");
}

#[test]
fn a_project_of_gradle_is_read_with_its_catalogue() {
    let catalogue = "[versions]\nktor = \"3.0.1\"\n[libraries]\nktor = { module = \"io.ktor:ktor-server-core\", version.ref = \"ktor\" }\n\
                     pg = \"org.postgresql:postgresql:42.7.4\"\nbom = { group = \"org.example\", name = \"bom\", version = { strictly = \"[1,2)\" } }\n\
                     [plugins]\nkotlin = { id = \"org.jetbrains.kotlin.jvm\", version = \"2.0.21\" }\n";
    let build = "plugins {\n    kotlin(\"jvm\")\n}\ndependencies {\n    implementation(libs.ktor)\n    testImplementation(\"org.junit.jupiter:junit-jupiter:5.11.0\")\n}\n";
    let findings = project(&[("build.gradle.kts", build), ("gradle/libs.versions.toml", catalogue)]);
    assert_eq!(
        lines(&findings),
        [
            "io.ktor:ktor-server-core 3.0.1 3.0.1 Runtime Registry",
            "org.example:bom [1,2) - Runtime Registry",
            "org.junit.jupiter:junit-jupiter 5.11.0 5.11.0 Dev Registry",
            "org.postgresql:postgresql 42.7.4 42.7.4 Runtime Registry",
        ]
    );
    assert_eq!(
        findings.tech_stack(),
        ["kotlin", "ktor", "postgresql", "gradle", "junit"]
    );
    assert_eq!(findings.project_type, "api");
}
