"""Trains a classifier on scikit-learn's bundled digits (1,797 real handwritten ones, 8x8 pixels).

Run by examples/digits/train.yaml. Prints the accuracy on digits that it has not seen, and writes
the model into $LEPTON_OUTPUT_DIR.
"""

import os
import pathlib
import pickle
import sys
import time

from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

ACCURACY_MIN = 0.95


def check_secret():
    """A secret is there or not; nothing about its value is printed."""
    if not os.environ.get("HF_TOKEN"):
        sys.exit("HF_TOKEN is not set; store it with `lepton secret put ml/hf`")
    print("HF_TOKEN is set")


def train():
    """The fitted model and its accuracy on the held-back quarter."""
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.data, digits.target, test_size=0.25, random_state=7, stratify=digits.target)
    print(f"training on {len(train_x)} digits, testing on {len(test_x)}")
    model = SVC(gamma=0.001, C=10)
    model.fit(train_x, train_y)
    return model, accuracy_score(test_y, model.predict(test_x))


def main():
    begin = time.monotonic()
    print(f"user id {os.getuid()}")
    check_secret()
    model, accuracy = train()
    print(f"accuracy: {accuracy:.4f}")
    path = pathlib.Path(os.environ.get("LEPTON_OUTPUT_DIR", ".")) / "digits.model"
    path.write_bytes(pickle.dumps(model))
    print(f"model: {path} ({path.stat().st_size} bytes), {time.monotonic() - begin:.1f} s")
    if accuracy < ACCURACY_MIN:
        sys.exit(f"the accuracy is below {ACCURACY_MIN}")


if __name__ == "__main__":
    main()
