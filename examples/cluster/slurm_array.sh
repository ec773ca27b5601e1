#!/bin/bash
# Segment many scans as an array of Slurm jobs:
#   sbatch --export=ALL,SCANS=scans.csv,LABELS=labels examples/cluster/slurm_array.sh
# Submit it again to go on, or after a failure. Afterwards write the tables of all parts together:
#   efficientscn-trt batch scans.csv -o labels
#SBATCH --job-name=efficientscn
#SBATCH --array=1-8
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --output=efficientscn-%A-%a.log
# For a GPU for each job, add --gpus-per-task=1 here and --device cuda below.
set -euo pipefail

parts=8  # as in --array above

exec efficientscn-trt batch "${SCANS:?}" --output "${LABELS:?}" --part "$SLURM_ARRAY_TASK_ID/$parts" --quiet
