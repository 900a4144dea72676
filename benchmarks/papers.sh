#!/usr/bin/env bash
# The corpora and figures of docs/papers.md, phones and headsets of docs/side-by-side among them: some hours on two cores.
# bash benchmarks/papers.sh SPEECH MICROPHONES ENGINES OUT
# SPEECH has a folder a speaker, MICROPHONES is the manifest that papers_microphones.py reads, ENGINES that of engines.
set -euo pipefail
speech=$1 microphones=$2 engines=$3 out=$4
here=$(dirname "$0")

simulate() { python "$here/../examples/devices/simulate.py" "$@" --speech "$speech" --seconds 4; }
merge() { python "$here/../examples/starter/merge.py" "$@" > /dev/null; }

phones=$out/phones second=$out/second
simulate "$phones/train" --devices 24 --world 1 --clips 32 --speakers 0:70 --seed 1 --split train
simulate "$phones/dev" --devices 24 --world 1 --clips 8 --speakers 70:85 --seed 2 --split dev
simulate "$phones/test" --devices 24 --world 1 --clips 16 --speakers 85:126 --seed 3 --split test
simulate "$phones/dev-strangers" --devices 8 --world 3 --clips 8 --speakers 70:85 --seed 4 --split dev
simulate "$phones/test-strangers" --devices 8 --world 4 --clips 12 --speakers 85:126 --seed 5 --split test
merge "$phones"/*/manifest.csv --out "$phones/phones.csv"
simulate "$second/train" --devices 12 --world 2 --clips 16 --speakers 0:70 --seed 6 --split train
simulate "$second/dev" --devices 12 --world 2 --clips 6 --speakers 70:85 --seed 7 --split dev
simulate "$second/test" --devices 12 --world 2 --clips 16 --speakers 85:126 --seed 8 --split test
merge "$second"/*/manifest.csv --out "$second/phones.csv"
python "$here/papers_microphones.py" "$microphones" "$out/microphones.csv"

measured=$here/papers/measured.json
python "$here/papers.py" --corpus phones="$phones/phones.csv" --corpus microphones="$out/microphones.csv" \
    --corpus systems="$engines" --allow-leak systems --out "$out/papers" --publish "$measured"
python "$here/papers_transfer.py" --source "$phones/phones.csv" --target "$second/phones.csv" --out "$out/transfer" \
    --publish "$measured"
python "$here/papers_voters.py" --phones "$phones/phones.csv" --out "$out/voters" --publish "$measured"
