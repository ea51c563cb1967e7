#!/usr/bin/env bash
# How many messages a second `intake --classify` reads, and in how much memory.
#
#   benches/classify.sh [MESSAGES]      default 20000: the corpus of the tests over and over, in a Maildir and in an mbox
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-20000}
cargo build --release --quiet
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 - "$folder" "$count" <<'PY'
import glob, os, sys
folder, count = sys.argv[1], int(sys.argv[2])
text = "".join(open(path, encoding="utf-8").read() for path in sorted(glob.glob("tests/corpus/*.txt")))
letters = [part.split("\n", 1)[1] for part in text.split("=== ")[1:]]
letters = [letter for letter in letters if letter.strip()]
os.makedirs(folder + "/Maildir/new")
with open(folder + "/mbox", "w", encoding="utf-8") as mbox:
    for n in range(count):
        letter = f"X-Number: {n}\n" + letters[n % len(letters)]
        with open(f"{folder}/Maildir/new/{n}.host", "w", encoding="utf-8") as file:
            file.write(letter)
        mbox.write("From desk@corp.example Fri Nov 27 10:00:00 2026\n" + letter.replace("\nFrom ", "\n>From ") + "\n")
PY
for mailbox in Maildir mbox; do
  for round in 1 2 3; do
    python3 - "$folder/$mailbox" "$count" <<'PY'
import resource, subprocess, sys, time
path, count = sys.argv[1], int(sys.argv[2])
start = time.monotonic()
subprocess.run(["target/release/flagday", "intake", "--classify", path, "--json"], stdout=subprocess.DEVNULL, check=True)
took = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{path.rsplit('/', 1)[1]}: {count / took:,.0f} messages a second, {peak:.0f} MiB at most")
PY
  done
done
