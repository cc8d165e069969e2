//! Which kind of project it is. The first rule that applies decides:
//!
//! 1. `monorepo`: a workspace that is no package itself has at least two members, or at least three packages lie in
//!    directories of their own with none in the project's.
//! 2. `mobile`: a framework for phones.
//! 3. `library`: a package that says that others use it, and brings no program, no process and no image. What it needs
//!    from whoever uses it (a plugin for a web framework, say) does not make it a site.
//! 4. `web`: a framework for what people see in a browser.
//! 5. `api`: a framework that serves requests.
//! 6. `static`: a generator of static sites.
//! 7. `data`: a framework for data or models.
//! 8. `cli`: a program, or a framework for programs.
//! 9. `library`: a package that can be installed.
//! 10. `app`: any other package.
//! 11. `infra`: a tool that describes machines, or only images and services.
//! 12. `static`: a page.
//! 13. `unknown`.

use super::{
    findings::{Ecosystem, Workspace},
    gather::Gathered,
    marker::Marker,
    part::Manifest,
    place,
    stack::{Category, Technologies},
};

pub(super) fn decide(gathered: &Gathered, workspaces: &[Workspace], technologies: &Technologies) -> &'static str {
    let has = |category| technologies.has(category);
    let packages: Vec<&Manifest> = gathered.products().filter(|manifest| manifest.is_package).collect();
    let is_scripted = gathered.has(Marker::PythonPackage) || gathered.has(Marker::RubyPackage);
    let is_library = packages.iter().any(|manifest| is_library(manifest, gathered));
    let is_installable = is_scripted || packages.iter().any(|manifest| manifest.is_installable);
    let has_program = packages.iter().any(|manifest| has_program(manifest, gathered));
    let is_served = !gathered.images.is_empty() || !gathered.processes.is_empty();
    if is_monorepo(&packages, gathered, workspaces) {
        "monorepo"
    } else if has(Category::Mobile) {
        "mobile"
    } else if is_library && !has_program && !is_served {
        "library"
    } else if has(Category::Web) {
        "web"
    } else if has(Category::Api) {
        "api"
    } else if has(Category::Site) {
        "static"
    } else if has(Category::Data) {
        "data"
    } else if has_program || has(Category::Cli) {
        "cli"
    } else if is_library || is_installable {
        "library"
    } else if !packages.is_empty() {
        "app"
    } else if has(Category::Infra) {
        "infra"
    } else if gathered.has(Marker::Page) {
        "static"
    } else if is_served
        || gathered
            .services
            .iter()
            .any(|services| services.tool == "docker-compose")
    {
        "infra"
    } else {
        "unknown"
    }
}

fn is_monorepo(packages: &[&Manifest], gathered: &Gathered, workspaces: &[Workspace]) -> bool {
    let is_bare = |workspace: &Workspace| {
        let root = gathered
            .manifests
            .iter()
            .find(|manifest| manifest.path == workspace.manifest);
        let is_program = |manifest: &Manifest| manifest.is_package && manifest.ecosystem != Ecosystem::Npm;
        root.is_some_and(|manifest| !is_program(manifest))
    };
    let is_product = |member: &&String| place::Place::of(&format!("{member}/x")) == place::Place::Product;
    let num_members = |workspace: &Workspace| workspace.members.iter().filter(is_product).count();
    if workspaces
        .iter()
        .any(|workspace| is_bare(workspace) && num_members(workspace) >= 2)
    {
        return true;
    }
    let mut directories: Vec<&str> = packages
        .iter()
        .map(|manifest| place::directory(&manifest.path))
        .collect();
    directories.sort_unstable();
    directories.dedup();
    directories.len() >= 3 && !directories.contains(&"")
}

/// Rust and Go tell programs and libraries apart by files beside the manifest.
fn has_program(manifest: &Manifest, gathered: &Gathered) -> bool {
    manifest.has_program() || has_beside(manifest, gathered, Marker::Program)
}

fn is_library(manifest: &Manifest, gathered: &Gathered) -> bool {
    manifest.is_library || has_beside(manifest, gathered, Marker::Library)
}

fn has_beside(manifest: &Manifest, gathered: &Gathered, wanted: Marker) -> bool {
    let own = place::directory(&manifest.path);
    let is_typed = matches!(manifest.ecosystem, Ecosystem::Cargo | Ecosystem::Go);
    is_typed
        && gathered
            .markers
            .iter()
            .filter(|(marker, _)| *marker == wanted)
            .any(|(_, path)| place::relative(own, path).is_some())
}
