"""Is it safe to drop the base64 column? Every condition with its evidence, and when it was last proved.

`gathering` asks table, ledger, bucket and public URL; `judging` decides; nothing is changed.
"""

from z_interact_assets.verdict.gathering import Witnesses, gather
from z_interact_assets.verdict.judging import Condition, Verdict, judge

__all__ = ["Condition", "Verdict", "Witnesses", "gather", "judge"]
