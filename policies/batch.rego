# Batch size limits: how many targets change at once.
package qinfra.batch

import data.qinfra.rollout

denials contains "batch-size-missing" if {
	rollout.production
	rollout.targets > 1
	not sized
}

denials contains "batch-too-large" if {
	rollout.production
	at_once > 1
	at_once * 100 > rollout.targets * rollout.setting("mostBatchPercent", 25)
}

denials contains "batch-over-limit" if at_once > rollout.setting("mostBatchTargets", 500)

at_once := input.plan.batchTargets if is_number(input.plan.batchTargets)

at_once := rollout.targets if not sized

sized if is_number(input.plan.batchTargets)
