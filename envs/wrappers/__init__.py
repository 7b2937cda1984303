"""Wrappers that measure and change no trajectory, for Gymnasium and PettingZoo.

`RecordOutcomes`, `RiskMetrics` and `BenchmarkGap` are in one module per API: `gymnasium`,
`vector` and `pettingzoo` (there also with `AEC` at the end of the name).
"""
