# Canary required: in production some few targets go first, and the others when those are well.
package qinfra.canary

import data.qinfra.rollout

denials contains "canary-missing" if {
	rollout.production
	rollout.targets >= rollout.setting("canaryFrom", 2)
	not has_canary
}

denials contains "canary-too-large" if {
	rollout.production
	input.plan.canaryTargets > 1
	input.plan.canaryTargets * 100 > rollout.targets * rollout.setting("mostBatchPercent", 25)
}

has_canary if input.plan.canaryTargets >= 1
