"""Classifiers of scikit-learn as rules: they answer what scikit-learn answers, and without it."""

import json
import sys

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import earwitness_classifiers as ours
from earwitness.errors import MissingExtraError
from earwitness.subset import Subset
from earwitness.testing import checks_of, run
from earwitness.testing.made import gallery

pytest.importorskip("skl2onnx")

THEIRS = {
    ours.Svm(): SVC(random_state=42),
    ours.Mlp(): MLPClassifier(random_state=42),
    ours.RandomForest(): RandomForestClassifier(random_state=42),
    ours.GradientBoosting(): GradientBoostingClassifier(random_state=42),
    ours.LogisticRegression(): LogisticRegression(random_state=42),
    ours.NaiveBayes(): GaussianNB(),
    ours.DecisionTree(): DecisionTreeClassifier(random_state=42),
}
WITHOUT = """
import sys
sys.modules |= {"sklearn": None, "skl2onnx": None, "scipy": None}
from earwitness.cli import main
main()
"""


def close(counts, spread):
    """Sources that overlap, so that nobody is sure of all: rows (N, 16) in the order in which classifiers see them."""
    made = gallery(counts)
    rows = made.embeddings + spread * np.random.default_rng(1).standard_normal(made.embeddings.shape)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    order = sorted(range(len(rows)), key=lambda row: (made.labels[row], rows[row, ::-1].tolist()))
    return Subset(made.sources, made.heads, rows[order], made.labels, made.clips, made.cells)


def expected(model, enrolled, queries):
    """What scikit-learn says, (B, K); of the figures that support vectors give, the softmax."""
    scaler = StandardScaler().fit(enrolled.embeddings.astype(np.float64))
    rows, asked = (scaler.transform(x).astype(np.float32) for x in (enrolled.embeddings, queries))
    model.fit(rows, enrolled.labels)
    if not isinstance(model, SVC):
        return model.predict_proba(asked)
    figures = model.decision_function(asked)
    figures = np.stack([-figures, figures], axis=1) if figures.ndim == 1 else figures
    return np.exp(figures) / np.exp(figures).sum(axis=1, keepdims=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("counts", [(20, 14, 9, 3), (12, 10)], ids=["four", "two"])
@pytest.mark.parametrize(("rule", "model"), THEIRS.items(), ids=lambda part: getattr(part, "name", ""))
def test_probabilities_are_scikit_learns(rule, model, counts):
    enrolled = close(counts, 0.25)
    queries = np.concatenate([enrolled.embeddings[::3], gallery((1,) * 20, seed=5).embeddings])
    scores = rule.score(rule.fit(enrolled), enrolled, queries)
    wanted = expected(model, enrolled, queries)
    np.testing.assert_allclose(np.exp(scores.values), wanted, atol=1e-5)
    np.testing.assert_array_equal(scores.values.argmax(axis=1), wanted.argmax(axis=1))
    np.testing.assert_allclose(scores.knownness, wanted.max(axis=1), atol=1.1e-3)  # ties apart


def test_ties_are_broken_by_the_cosine_to_the_mean():
    enrolled, rule = gallery((6, 6)), ours.DecisionTree()
    own = enrolled.embeddings[enrolled.labels == 0]
    mean = own.mean(axis=0) / np.linalg.norm(own.mean(axis=0))
    found = rule.score(rule.fit(enrolled), enrolled, own)
    np.testing.assert_allclose(found.knownness, 1 + 1e-3 * own @ mean, atol=1e-6)


def test_one_source_alone_is_probable_and_its_clips_are_surer_than_others():
    enrolled, rule = gallery((4,)), ours.Svm()
    strangers = gallery((1,) * 10, seed=5).embeddings
    state = rule.fit(enrolled)
    own, others = (rule.score(state, enrolled, rows) for rows in (enrolled.embeddings, strangers))
    assert np.all(own.values == 0)
    assert own.knownness.min() > others.knownness.max()


def test_a_source_without_rows_is_improbable():
    full = gallery((6, 1, 6))
    kept = full.labels != 1
    rows = {name: getattr(full, name)[kept] for name in ("embeddings", "labels", "clips", "cells")}
    enrolled, rule = Subset(full.sources, full.heads, **rows), ours.LogisticRegression()
    scores = rule.score(rule.fit(enrolled), enrolled, enrolled.embeddings)
    np.testing.assert_array_equal(scores.values.argmax(axis=1), enrolled.labels)
    assert scores.values[:, 1].max() < np.log(1e-11)


def test_fitting_without_the_extra_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(MissingExtraError, match=r"needs the extra 'train': pip install 'earwitness\[train\]'$"):
        ours.NaiveBayes().fit(gallery((3, 3)))
    asked = [check for check in checks_of("classifiers") if check.part == "naive_bayes"]
    outcomes = {result.outcome for result in run(asked) if "learns" in result.check}
    assert outcomes == {"skipped"}


def test_a_calibrated_registry_answers_without_scikit_learn(made, call, command, tmp_path):
    model, registry = tmp_path / "model", ("--registry", tmp_path / "registry")
    settings = ("--set", "window=1.0", "--set", "hop=0.5", "--set", "scorer=naive_bayes")
    for words in (
        ("train", "lfcc-stats", "--manifest", made.manifest, "--out", model, *settings),
        ("registry", "init", "--model", model, *registry),
        ("enroll", "--manifest", made.manifest, "--split", "train", *registry),
        ("calibrate", "--manifest", made.manifest, *registry),
    ):
        assert call(*words).code == 0
    done = command("identify", made.home / "test-alpha-0.wav", "--json", *registry, code=WITHOUT)
    assert json.loads(done.stdout)[0]["ranking"][0]["source"] == "alpha"
