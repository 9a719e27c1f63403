"""Warm tiers before the crowd: which events are hot, how each process fills its own tiers, and a sale's traffic.

`hot_list` names the events, `process` is the thread with which each serving process follows the list and before whose
first round it takes no traffic, `traffic` records what an on-sale asked for and tells it again to a new event.
"""
