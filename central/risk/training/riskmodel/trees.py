"""Boosted trees: trained with XGBoost, averaged over seeds, written as one ONNX tree ensemble.

Averages of margins of several models are the margin of one larger model, so the bundle holds a single node.
`nodes_hitrates` holds each node's cover (sum of hessians): with it contributions are computed from the file alone.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import xgboost as xgb
from onnx import TensorProto, helper

OPSET, ML_OPSET, IR_VERSION = 17, 3, 8
PEER: dict[str, Any] = {"rounds": 100}  # XGBoost as it comes
OURS: dict[str, Any] = {
    "tree_method": "hist", "max_depth": 5, "learning_rate": 0.05, "rounds": 120, "subsample": 0.8,
    "colsample_bytree": 0.3, "min_child_weight": 3, "reg_lambda": 1.0,
}  # fmt: skip
SEEDS = 5


@dataclass
class Ensemble:
    """Boosters whose margins are averaged."""

    boosters: list[xgb.Booster]

    def margin(self, features: np.ndarray) -> np.ndarray:
        """Log-odds of fraud f32 [rows]."""
        matrix = xgb.DMatrix(features)
        return np.mean([b.predict(matrix, output_margin=True) for b in self.boosters], axis=0)


def train(features: np.ndarray, fraud: np.ndarray, parameters: dict[str, Any], seeds: int, threads: int = 1, say=None) -> Ensemble:
    """Train `seeds` boosters of `parameters["rounds"]` trees; `say(done, of)` hears of each."""
    boosters = []
    settings = {name: value for name, value in parameters.items() if name != "rounds"}
    matrix = xgb.DMatrix(features, fraud, nthread=threads)
    for seed in range(seeds):
        settings |= {"objective": "binary:logistic", "seed": seed, "nthread": threads}
        boosters.append(xgb.train(settings, matrix, num_boost_round=parameters["rounds"]))
        if say:
            say(seed + 1, seeds)
    return Ensemble(boosters)


def to_onnx(ensemble: Ensemble, features: int) -> onnx.ModelProto:
    """The ensemble as a model: `features` f32 [rows, features] -> `margin` f32 [rows, 1]."""
    nodes: dict[str, list[Any]] = {name: [] for name in (
        "treeids", "nodeids", "featureids", "values", "hitrates", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true",
    )}  # fmt: skip
    target: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    base, number, parts = 0.0, 0, len(ensemble.boosters)
    for booster in ensemble.boosters:
        learner = json.loads(booster.save_raw("json"))["learner"]
        score = learner["learner_model_param"]["base_score"].strip("[]")
        base += float(np.log(float(score) / (1.0 - float(score)))) / parts
        for tree in learner["gradient_booster"]["model"]["trees"]:
            _append(nodes, target, tree, number, parts)
            number += 1
    attributes = {f"nodes_{name}": values for name, values in nodes.items()}
    attributes |= {f"target_{name}": values for name, values in target.items()}
    node = helper.make_node(
        "TreeEnsembleRegressor", ["features"], ["margin"], domain="ai.onnx.ml", n_targets=1, base_values=[base],
        aggregate_function="SUM", post_transform="NONE", **attributes,
    )  # fmt: skip
    graph = helper.make_graph(
        [node], "risk",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info("margin", TensorProto.FLOAT, [None, 1])],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="riskmodel")
    onnx.checker.check_model(model)
    return model


def _append(nodes: dict[str, list[Any]], target: dict[str, list[Any]], tree: dict[str, Any], number: int, parts: int) -> None:
    left, right = tree["left_children"], tree["right_children"]
    for index, below in enumerate(left):
        leaf = below < 0
        nodes["treeids"].append(number)
        nodes["nodeids"].append(index)
        nodes["featureids"].append(0 if leaf else tree["split_indices"][index])
        nodes["values"].append(0.0 if leaf else tree["split_conditions"][index])
        nodes["hitrates"].append(tree["sum_hessian"][index])
        nodes["modes"].append("LEAF" if leaf else "BRANCH_LT")
        nodes["truenodeids"].append(0 if leaf else below)
        nodes["falsenodeids"].append(0 if leaf else right[index])
        nodes["missing_value_tracks_true"].append(0 if leaf else int(tree["default_left"][index]))
        if leaf:
            target["treeids"].append(number)
            target["nodeids"].append(index)
            target["ids"].append(0)
            target["weights"].append(tree["split_conditions"][index] / parts)
