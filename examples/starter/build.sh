#!/usr/bin/env bash
# Build the starter registry from a manifest of train and dev clips: bash examples/starter/build.sh MANIFEST OUT
set -euo pipefail
manifest=$1 out=$2
here=$(dirname "$0")

earwitness train wild --manifest "$manifest" --out "$out/model" --seed 0
earwitness registry init --registry "$out/starter" --name starter --model "$out/model"
earwitness enroll --registry "$out/starter" --manifest "$manifest" --split train

# thresholds and the experts' weights are learned from clean clips and from the same after codecs, noise and cuts
python "$here/degrade.py" "$manifest" "$out/degraded" --split dev
python "$here/merge.py" "$manifest" "$out/degraded/manifest.csv" --out "$out/dev.csv"
earwitness calibrate --registry "$out/starter" --manifest "$out/dev.csv" --split dev --far 0.05
earwitness registry verify --registry "$out/starter"
