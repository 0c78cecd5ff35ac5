package qinfra.plan_test

import data.qinfra.plan

person := {
	"kind": "user",
	"id": "usr_1",
	"ai": false,
	"roles": ["admin"],
	"permissions": ["images:write"],
	"orgId": "org_1",
	"platform": false,
}

agent := object.union(person, {"kind": "api-key", "id": "key_1", "ai": true, "actsFor": "usr_1"})

delete_image := {"id": "images.delete", "effect": "destructive", "permission": "images:write"}

create_image := {"id": "images.create", "effect": "change", "permission": "images:write"}

ask(operation, actor, settings) := {
	"operation": operation,
	"actor": actor,
	"org": {"id": "org_1", "settings": settings},
	"input": {},
	"plan": {},
}

allowed := {"decision": "allow", "reasons": [], "approvers": [], "excluded": []}

by_admin := [{"role": "admin", "count": 1}]

test_change_allowed if plan.result == allowed with input as ask(create_image, person, {})

test_destructive_by_person_allowed if plan.result == allowed with input as ask(delete_image, person, {})

test_change_by_ai_allowed if plan.result == allowed with input as ask(create_image, agent, {})

test_destructive_by_ai_needs_approval if {
	plan.result == {
		"decision": "approve",
		"reasons": ["destructive-by-ai"],
		"approvers": by_admin,
		"excluded": ["key_1", "usr_1"],
	} with input as ask(delete_image, agent, {})
}

test_organization_requires_approval_of_everybody if {
	plan.result == {
		"decision": "approve",
		"reasons": ["approval-required-by-organization"],
		"approvers": by_admin,
		"excluded": ["usr_1"],
	} with input as ask(create_image, person, {"requireApproval": ["images.create"]})
}

test_requirement_names_the_operation if {
	plan.result == allowed with input as ask(create_image, person, {"requireApproval": ["images.delete"]})
}

test_both_reasons if {
	plan.result.reasons == ["approval-required-by-organization", "destructive-by-ai"] with input as ask(
		delete_image, agent,
		{"requireApproval": ["images.delete"]},
	)
}

test_without_organization_allowed if {
	plan.result == allowed with input as {"operation": create_image, "actor": person, "org": null}
}

test_empty_input_denied if {
	plan.result == {"decision": "deny", "reasons": ["malformed-input"], "approvers": [], "excluded": []} with input as {}
}

test_unknown_whether_ai_denied if {
	actor := json.remove(person, ["ai"])
	plan.result.decision == "deny" with input as ask(delete_image, actor, {})
}

test_malformed_settings_denied if {
	plan.result.decision == "deny" with input as ask(create_image, person, {"requireApproval": "images.create"})
}
