#!/usr/bin/env python3
"""Measures what the guided calibration is worth and rewrites the tables and the picture of docs/mounting.md.

Takes about four minutes on one core. Needs HAPT's recordings and UCI-HAR: HARDWEAR_DATA, the cache, else they are
downloaded. `--learn` instead learns anew, from the 21 training subjects, how people walk, and rewrites
python/hardwear/wearable/direction_weights.py and firmware/core/direction_weights.h.
"""

import argparse
import json
import sys
from pathlib import Path

from hardwear.bundle import Bundle
from hardwear.datasets import load_hapt, load_uci_har, recordings_sha256
from hardwear.errors import HardwearError
from hardwear.figures import save_png
from hardwear.marked_section import replace_section
from hardwear.provenance import provenance
from hardwear.studies import mounting
from hardwear.wearable.direction_learning import learn, render_header, render_python, stretches

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = DOCS / "mounting.md"
RESULTS = DOCS / "results" / "mounting.json"
SHIPPED = ROOT / "models" / "compact"
WEIGHTS = ROOT / "python" / "hardwear" / "wearable" / "direction_weights.py"
HEADER = ROOT / "firmware" / "core" / "direction_weights.h"


def main() -> None:
    """Learn, or measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learn", action="store_true", help="rewrite the weights; measures nothing")
    parser.add_argument("--page", action="store_true", help="only the page, from docs/results/mounting.json")
    arguments = parser.parse_args()
    try:
        if arguments.learn:
            learn_weights()
            return
        if not arguments.page:
            RESULTS.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
        write_page()
    except HardwearError as error:
        raise SystemExit(f"mounting_report: {error}") from None


def learn_weights() -> None:
    """From the training subjects alone."""
    dataset = load_uci_har()
    training = [r for r in load_hapt() if r.user not in set(dataset.test.subjects.tolist())]
    model = learn(training, stretches(training))
    WEIGHTS.write_text(render_python(model), encoding="utf-8")
    HEADER.write_text(render_header(model), encoding="utf-8")


def measure() -> dict[str, object]:
    """All figures of the page."""
    dataset, recordings, bundle = load_uci_har(), load_hapt(), Bundle.load(SHIPPED)
    training = [r for r in recordings if r.user not in set(dataset.test.subjects.tolist())]
    found = stretches(training)
    data = {dataset.name: dataset.sha256, "recordings": recordings_sha256(recordings)}
    return {
        **provenance("python tools/mounting_report.py", data, [mounting.SEED]),
        "model_sha256": bundle.manifest.hashes["model.tflite"],
        "windows": len(dataset.test),
        "estimators": [way.to_json() for way in mounting.estimators(found)],
        "fronts": mounting.fronts(training, found),
        "rows": mounting.measure_benefit(bundle, dataset, recordings, tell),
    }


def tell(done: int, total: int, what: str) -> None:
    """On standard error, one line each."""
    print(f"{done}/{total} {what}", file=sys.stderr)


def write_page() -> None:
    """The picture and the parts between markers."""
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    save_png(mounting.draw(document), DOCS / "pictures" / "mounting.png")
    replace_section(PAGE, "heading", mounting.heading_section(document))
    replace_section(PAGE, "benefit", mounting.benefit_section(document))


if __name__ == "__main__":
    main()
