# Policy on the plan: may it run as planned, and who must approve it first?
# The request has been allowed before; nothing has been changed yet. Denies what it cannot judge.
package qinfra.plan

import data.qinfra.common

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
	common.well_formed
	count(approval_reasons) == 0
}

decision := "approve" if {
	common.well_formed
	count(approval_reasons) > 0
}

reasons contains "malformed-input" if not common.well_formed

reasons contains reason if {
	common.well_formed
	some reason in approval_reasons
}

approval_reasons contains "destructive-by-ai" if {
	input.operation.effect == "destructive"
	not input.actor.ai == false
}

approval_reasons contains "approval-required-by-organization" if {
	input.operation.id in input.org.settings.requireApproval
}

default approvers := []

approvers := [{"role": "admin", "count": 1}] if decision == "approve"

# Whom the change serves never approves it: the actor, and the person for whom an agent or a key acts.
default excluded := []

excluded := sort([id | some id in requesters]) if decision == "approve"

requesters contains input.actor.id if is_string(input.actor.id)

requesters contains input.actor.actsFor if is_string(input.actor.actsFor)
