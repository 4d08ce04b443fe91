"""The ways to reach people and machines: one file each, all behind `contract.Channel`."""
