# Production safety: what is destroyed in production needs two people, what an AI actor changes there needs one.
package qinfra.production

import data.qinfra.rollout

approvals contains "destructive-in-production" if {
	rollout.production
	input.operation.effect == "destructive"
}

approvals contains "production-change-by-ai" if {
	rollout.production
	input.operation.effect == "change"
	not input.actor.ai == false
}

needs_two if "destructive-in-production" in approvals
