//! The trees that an ONNX file holds: one `TreeEnsembleRegressor`, read so that its scores can be explained from the very
//! file that ONNX Runtime runs.

use prost::Message;

use super::trees::{Node, Split, Tree, Trees};

/// Most nodes of a model, and greatest depth of a tree: more is no model of ours.
const MOST_NODES: usize = 1_000_000;

/// Version of the operators of `ai.onnx.ml` that `TreeEnsembleRegressor` is read by.
const ML_OPSET: i64 = 3;

#[derive(Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<Opset>,
}

#[derive(Message)]
struct Opset {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Operator>,
}

#[derive(Message)]
struct Operator {
    #[prost(string, tag = "4")]
    op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
}

#[derive(Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "3")]
    i: i64,
    #[prost(bytes = "vec", tag = "4")]
    s: Vec<u8>,
    #[prost(float, repeated, tag = "7")]
    floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    ints: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    strings: Vec<Vec<u8>>,
}

/// Read the trees of a model that takes `features` features. The error says what is not as it must be.
pub(crate) fn trees(raw: &[u8], features: usize) -> Result<Trees, String> {
    let model = Model::decode(raw).map_err(|e| format!("it is no ONNX file: {e}"))?;
    let opset = model.opset_import.iter().find(|o| o.domain == "ai.onnx.ml").map(|o| o.version);
    if opset != Some(ML_OPSET) {
        return Err(format!(
            "its ai.onnx.ml operators are of version {opset:?}; this version reads {ML_OPSET}"
        ));
    }
    let graph = model.graph.ok_or("it has no graph")?;
    let [operator] = &*graph.node else {
        return Err(format!("it has {} operators, one is wanted", graph.node.len()));
    };
    if operator.op_type != "TreeEnsembleRegressor" {
        return Err(format!("its operator is {:?}, TreeEnsembleRegressor is wanted", operator.op_type));
    }
    Attributes(&operator.attribute).trees(features)
}

struct Attributes<'a>(&'a [Attribute]);

impl Attributes<'_> {
    fn get(&self, name: &str) -> Result<&Attribute, String> {
        self.0.iter().find(|a| a.name == name).ok_or_else(|| format!("it has no {name}"))
    }

    fn ints(&self, name: &str, length: usize) -> Result<&[i64], String> {
        let values = &self.get(name)?.ints;
        if values.len() == length {
            Ok(values)
        } else {
            Err(format!("{name} has {} values, not {length}", values.len()))
        }
    }

    fn floats(&self, name: &str, length: usize) -> Result<&[f32], String> {
        let values = &self.get(name)?.floats;
        let finite = values.len() == length && values.iter().all(|v| v.is_finite());
        if finite { Ok(values) } else { Err(format!("{name} has not {length} finite values")) }
    }

    fn trees(&self, features: usize) -> Result<Trees, String> {
        if self.get("n_targets")?.i != 1
            || self.get("aggregate_function")?.s != b"SUM"
            || self.get("post_transform")?.s != b"NONE"
        {
            return Err("it is not the plain sum of trees for one target".to_owned());
        }
        let tree_ids = &self.get("nodes_treeids")?.ints;
        let count = tree_ids.len();
        if !(1..=MOST_NODES).contains(&count) {
            return Err(format!("it has {count} nodes; 1 to {MOST_NODES} are allowed"));
        }
        let node_ids = self.ints("nodes_nodeids", count)?;
        let feature_ids = self.ints("nodes_featureids", count)?;
        let thresholds = self.floats("nodes_values", count)?;
        let covers = self.floats("nodes_hitrates", count)?;
        let yes = self.ints("nodes_truenodeids", count)?;
        let no = self.ints("nodes_falsenodeids", count)?;
        let missing = self.ints("nodes_missing_value_tracks_true", count)?;
        let modes = &self.get("nodes_modes")?.strings;
        if modes.len() != count {
            return Err("nodes_modes has another length".to_owned());
        }
        let mut weights = self.weights()?.into_iter();
        let mut trees: Vec<Tree> = Vec::new();
        for at in 0..count {
            if node_ids[at] == 0 && tree_ids[at] == trees.len() as i64 {
                trees.push(Tree::default());
            }
            let number = trees.len() as i64 - 1;
            let Some(tree) =
                trees.last_mut().filter(|t| tree_ids[at] == number && node_ids[at] == t.nodes.len() as i64)
            else {
                return Err(format!("node {at} is out of order"));
            };
            let split = match &*modes[at] {
                b"BRANCH_LT" => Some(Split {
                    feature: usize::try_from(feature_ids[at]).ok().filter(|&f| f < features).ok_or_else(
                        || format!("node {at} asks for feature {}, there are {features}", feature_ids[at]),
                    )?,
                    threshold: thresholds[at],
                    missing_is_yes: missing[at] == 1,
                    // The order of nodes is checked by `Tree::check`: a child lies behind its parent.
                    yes: usize::try_from(yes[at]).map_err(|e| e.to_string())?,
                    no: usize::try_from(no[at]).map_err(|e| e.to_string())?,
                }),
                b"LEAF" => None,
                other => return Err(format!("node {at} is a {}", String::from_utf8_lossy(other))),
            };
            let value = match (&split, weights.next_if_leaf(split.is_none())) {
                (Some(_), _) => 0.0,
                (None, Some((t, n, w))) if (t, n) == (tree_ids[at], node_ids[at]) => f64::from(w),
                (None, _) => return Err(format!("the leaf at node {at} has no weight, or not in order")),
            };
            tree.nodes.push(Node { split, value, cover: f64::from(covers[at]) });
        }
        if weights.next().is_some() {
            return Err("a weight belongs to no leaf".to_owned());
        }
        trees.iter().try_for_each(Tree::check)?;
        let base = self.floats("base_values", 1)?.iter().map(|&b| f64::from(b)).sum();
        Ok(Trees { members: trees, base, features })
    }

    fn weights(&self) -> Result<Vec<(i64, i64, f32)>, String> {
        let trees = &self.get("target_treeids")?.ints;
        let nodes = self.ints("target_nodeids", trees.len())?;
        let weights = self.floats("target_weights", trees.len())?;
        if self.ints("target_ids", trees.len())?.iter().any(|&id| id != 0) {
            return Err("it has more than one target".to_owned());
        }
        Ok(trees.iter().zip(nodes).zip(weights).map(|((&t, &n), &w)| (t, n, w)).collect())
    }
}

trait NextIfLeaf: Iterator {
    /// The next one, where a leaf asks for it.
    fn next_if_leaf(&mut self, leaf: bool) -> Option<Self::Item> {
        if leaf { self.next() } else { None }
    }
}

impl<I: Iterator> NextIfLeaf for I {}
