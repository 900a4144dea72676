#!/usr/bin/env bash
# Train the device model on simulated devices and teach it to a registry:
# bash examples/devices/build.sh SPEECH HEADSETS OUT REGISTRY
# SPEECH has a folder a speaker, HEADSETS is the manifest that headsets.py reads, REGISTRY holds no device yet.
set -euo pipefail
speech=$1 headsets=$2 out=$3 registry=$4
here=$(dirname "$0")

simulate() { python "$here/simulate.py" "$@" --speech "$speech" --world 0 --snr 15:90; }
simulate "$out/train" --devices 4000 --clips 8 --speakers 0:90 --seed 1 \
    --codec none,none,none,none,conference,opus,mp3,aac,amr,mulaw
simulate "$out/dev" --devices 300 --clips 2 --speakers 90:106 --seed 3 --split dev --codec none,conference,opus,mp3
python "$here/../starter/merge.py" "$out/train/manifest.csv" "$out/dev/manifest.csv" --out "$out/both.csv" > /dev/null
earwitness train microphone --manifest "$out/both.csv" --out "$out/microphone" --seed 0

python "$here/slim.py" "$out/microphone"
earwitness registry add-model "$out/microphone" --registry "$registry"
python "$here/headsets.py" "$headsets"
takes=$(dirname "$headsets")/headsets.csv
earwitness enroll --registry "$registry" --manifest "$takes" --split train
earwitness calibrate --registry "$registry" --manifest "$takes" --split dev --far 0.05
earwitness registry verify --registry "$registry"
earwitness evaluate --registry "$registry" --manifest "$takes" --split test --out "$out/test"
