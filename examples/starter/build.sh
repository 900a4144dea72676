#!/usr/bin/env bash
# Build the starter registry from a manifest of train and dev clips: bash examples/starter/build.sh MANIFEST OUT
set -euo pipefail
manifest=$1 out=$2

earwitness train dynamics-lda --manifest "$manifest" --out "$out/model" --seed 0
earwitness registry init --registry "$out/starter" --name starter --model "$out/model"
earwitness enroll --registry "$out/starter" --manifest "$manifest" --split train
earwitness calibrate --registry "$out/starter" --manifest "$manifest" --split dev --far 0.05
earwitness registry verify --registry "$out/starter"
