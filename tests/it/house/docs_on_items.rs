//! Every file and every public item says what it is there for. Fields and variants may be left to their names: a phrase
//! that only repeats a name helps nobody.

use std::{fs, path::Path};

use syn::{Attribute, Ident, ImplItemFn, ItemImpl, ItemMod, Visibility, visit::Visit};

use super::sources;

/// The public items of a file that have no docs.
#[derive(Default)]
struct Bare(Vec<String>);

impl Bare {
    fn look(&mut self, visibility: &Visibility, attributes: &[Attribute], name: &Ident) {
        if matches!(visibility, Visibility::Public(_)) && !is_documented(attributes) {
            self.0.push(name.to_string());
        }
    }
}

fn is_documented(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("doc"))
}

/// Looks at one kind of items.
macro_rules! look_at {
    ($($visit:ident $item:ident $($name:ident).+;)*) => {
        $(fn $visit(&mut self, item: &'ast syn::$item) {
            self.look(&item.vis, &item.attrs, &item.$($name).+);
        })*
    };
}

impl<'ast> Visit<'ast> for Bare {
    look_at! {
        visit_item_const ItemConst ident;
        visit_item_enum ItemEnum ident;
        visit_item_fn ItemFn sig.ident;
        visit_item_static ItemStatic ident;
        visit_item_struct ItemStruct ident;
        visit_item_trait ItemTrait ident;
        visit_item_type ItemType ident;
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        // A trait says what its methods do.
        if item.trait_.is_none() {
            syn::visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.look(&item.vis, &item.attrs, &item.sig.ident);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        // A module in a file of its own has its docs there, and tests say it by their names.
        if !item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg")) {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

/// Seen to fail with a public function, a method and a file without docs.
#[test]
fn every_public_item_has_docs() {
    let mut faults = Vec::new();
    for path in sources().into_iter().filter(|path| !path.ends_with("tests.rs")) {
        let file = syn::parse_file(&fs::read_to_string(&path).expect("a source file")).expect("Rust");
        let mut bare = Bare::default();
        bare.visit_file(&file);
        let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a file of the tree");
        if !is_documented(&file.attrs) {
            faults.push(format!("{}: the file", relative.display()));
        }
        faults.extend(bare.0.into_iter().map(|name| format!("{}: {name}", relative.display())));
    }
    assert!(faults.is_empty(), "without docs: {faults:#?}");
}
