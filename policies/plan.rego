# Policy on the plan: may it run as planned, and who must approve it first?
# The request has been allowed before; nothing has been changed yet. Denies what it cannot judge.
package qinfra.plan

import data.qinfra.batch
import data.qinfra.canary
import data.qinfra.common
import data.qinfra.production
import data.qinfra.rollback
import data.qinfra.rollout

# METADATA
# title: Decision on a plan
# entrypoint: true
result := {
	"decision": decision,
	"reasons": sort([reason | some reason in reasons]),
	"approvers": approvers,
	"excluded": excluded,
}

default decision := "deny"

decision := "allow" if {
	count(denials) == 0
	count(approval_reasons) == 0
}

decision := "approve" if {
	count(denials) == 0
	count(approval_reasons) > 0
}

# What is refused is not also waited for.
reasons := denials if count(denials) > 0

reasons := approval_reasons if count(denials) == 0

denials contains "malformed-input" if not common.well_formed

denials contains "malformed-plan" if rollout.malformed

denials contains reason if some reason in batch.denials

denials contains reason if some reason in canary.denials

denials contains reason if some reason in rollback.denials

approval_reasons contains "destructive-by-ai" if {
	input.operation.effect == "destructive"
	not input.actor.ai == false
}

approval_reasons contains "approval-required-by-organization" if {
	input.operation.id in input.org.settings.requireApproval
}

approval_reasons contains reason if some reason in production.approvals

approval_reasons contains reason if some reason in rollback.approvals

# Whom the operation names; two of them where one would be too few.
default approvers := []

approvers := named if {
	decision == "approve"
	not needs_two
}

approvers := [{"role": one.role, "count": at_least_two(one.count)} | some one in named] if {
	decision == "approve"
	needs_two
	count(named) == 1
}

approvers := named if {
	decision == "approve"
	needs_two
	count(named) > 1
}

named := object.get(input.operation, "approvers", [{"role": "admin", "count": 1}])

at_least_two(n) := n if n >= 2

at_least_two(n) := 2 if n < 2

needs_two if production.needs_two

needs_two if rollback.needs_two

# Whom the change serves never approves it: the actor, and the person for whom an agent or a key acts.
default excluded := []

excluded := sort([id | some id in requesters]) if decision == "approve"

requesters contains input.actor.id if is_string(input.actor.id)

requesters contains input.actor.actsFor if is_string(input.actor.actsFor)
