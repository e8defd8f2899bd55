//! The functions and modules that the documents name are in the source.

use std::{collections::BTreeSet, fs, path::Path};

use syn::{Ident, ImplItemFn, ItemImpl, ItemMod, ItemUse, UseName, Visibility, visit::Visit};

use super::{docs::documents, sources};

/// The whole names of everything in `src`, as `module::item` or `module::Type::function`.
#[derive(Default)]
struct Names {
    place: Vec<String>,
    known: BTreeSet<String>,
}

impl Names {
    fn note(&mut self, name: &Ident) {
        let mut whole = self.place.clone();
        whole.push(name.to_string());
        self.known.insert(whole.join("::"));
    }
}

/// Notes the names of one kind of items.
macro_rules! note {
    ($($visit:ident $item:ident $($name:ident).+;)*) => {
        $(fn $visit(&mut self, item: &'ast syn::$item) {
            self.note(&item.$($name).+);
        })*
    };
}

impl<'ast> Visit<'ast> for Names {
    note! {
        visit_item_const ItemConst ident;
        visit_item_enum ItemEnum ident;
        visit_item_fn ItemFn sig.ident;
        visit_item_struct ItemStruct ident;
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let syn::Type::Path(of) = &*item.self_ty else { return };
        self.place.push(of.path.segments.last().expect("a type has a name").ident.to_string());
        syn::visit::visit_item_impl(self, item);
        self.place.pop();
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.note(&item.sig.ident);
    }

    // A name that is passed on is known in both places.
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if matches!(item.vis, Visibility::Public(_)) {
            syn::visit::visit_item_use(self, item);
        }
    }

    fn visit_use_name(&mut self, name: &'ast UseName) {
        self.note(&name.ident);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.note(&item.ident);
    }
}

fn names() -> BTreeSet<String> {
    let mut names = Names::default();
    for path in sources() {
        let below =
            path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("a source file");
        let segments = below.with_extension("");
        let segments = segments.iter().map(|segment| segment.to_string_lossy().into_owned());
        names.place = segments.filter(|segment| !["lib", "mod"].contains(&segment.as_str())).collect();
        names.visit_file(&syn::parse_file(&fs::read_to_string(&path).expect("a source file")).expect("Rust"));
    }
    names.known
}

/// Seen to fail with a function that was renamed and with one that moved to another module.
#[test]
fn every_documented_name_exists() {
    let known = names();
    let (mut named, mut faults) = (0, Vec::new());
    for (path, text) in documents() {
        let spans = text.split('`').skip(1).step_by(2);
        let is_name = |span: &&str| {
            span.contains("::") && span.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
        };
        for name in spans.filter(is_name) {
            named += 1;
            let end = format!("::{name}");
            if !known.iter().any(|whole| whole == name || whole.ends_with(&end)) {
                faults.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "not in the source: {faults:#?}");
    assert!(named > 30, "the documents name things in another way: {named}");
}
