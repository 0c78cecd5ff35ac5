# Rollback criteria: what would make it stop and go back is written down before it begins, and there is a way back.
package qinfra.rollback

import data.qinfra.rollout

denials contains "rollback-criteria-missing" if {
	rollout.planned
	rollout.production
	rollout.targets > 0
	reversible
	not has_criteria
}

approvals contains "irreversible-in-production" if {
	rollout.production
	not reversible
}

default reversible := true

reversible := false if input.plan.reversible == false

has_criteria if input.plan.rollbackCriteria >= 1

needs_two if "irreversible-in-production" in approvals
