package qinfra.rollout_test

import data.qinfra.plan

person := {"kind": "user", "id": "usr_1", "ai": false, "roles": ["admin"], "permissions": ["patches:apply"], "orgId": "org_1", "platform": false}

agent := object.union(person, {"kind": "api-key", "id": "key_1", "ai": true, "actsFor": "usr_1"})

apply := {"id": "patches.apply", "effect": "change", "permission": "patches:apply"}

wipe := {"id": "patches.wipe", "effect": "destructive", "permission": "patches:apply"}

ask(operation, actor, planned) := ask_in(operation, actor, planned, {})

ask_in(operation, actor, planned, settings) := {
	"operation": operation, "actor": actor, "input": {}, "plan": planned,
	"org": {"id": "org_1", "settings": settings},
}

# A rollout that all four families are content with.
good := {"environment": "production", "targets": 100, "batchTargets": 25, "canaryTargets": 2, "rollbackCriteria": 1}

with_members(changes) := object.union(good, changes)

without(name) := object.remove(good, [name])

decided(asked) := result if result := plan.result with input as asked

reasons(asked) := decided(asked).reasons

test_good_rollout_by_a_person_allowed if decided(ask(apply, person, good)).decision == "allow"

# Production safety

test_ai_changes_production_with_one_approval if {
	result := decided(ask(apply, agent, good))
	result.decision == "approve"
	result.reasons == ["production-change-by-ai"]
	result.approvers == [{"role": "admin", "count": 1}]
	result.excluded == ["key_1", "usr_1"]
}

test_destruction_in_production_needs_two if {
	result := decided(ask(wipe, person, {"environment": "Production"}))
	result.decision == "approve"
	result.reasons == ["destructive-in-production"]
	result.approvers == [{"role": "admin", "count": 2}]
}

test_operation_names_who_and_policy_how_many if {
	operation := object.union(wipe, {"approvers": [{"role": "operator", "count": 1}]})
	decided(ask(operation, person, {"environment": "prod"})).approvers == [{"role": "operator", "count": 2}]
}

test_two_and_more_stay_as_many if {
	every count in [2, 3] {
		operation := object.union(wipe, {"approvers": [{"role": "operator", "count": count}]})
		decided(ask(operation, person, {"environment": "prod"})).approvers == [{"role": "operator", "count": count}]
	}
}

test_two_roles_are_two_already if {
	both := [{"role": "operator", "count": 1}, {"role": "admin", "count": 1}]
	operation := object.union(wipe, {"approvers": both})
	decided(ask(operation, person, {"environment": "prod"})).approvers == both
}

test_elsewhere_a_person_destroys_alone if decided(ask(wipe, person, {"environment": "staging"})).decision == "allow"

test_targets_of_no_environment_count_as_production if "canary-missing" in reasons(ask(apply, person, object.remove(good, ["environment", "canaryTargets"])))

test_nobody_to_approve_is_refused if decided(ask(object.union(wipe, {"approvers": []}), person, {"environment": "prod"})).reasons == ["malformed-input"]

# Batch size limits

test_batch_missing if reasons(ask(apply, person, without("batchTargets"))) == ["batch-size-missing", "batch-too-large"]

test_batch_of_a_quarter_allowed_and_no_more if {
	decided(ask(apply, person, with_members({"batchTargets": 25}))).decision == "allow"
	reasons(ask(apply, person, with_members({"batchTargets": 26}))) == ["batch-too-large"]
}

test_batch_percent_is_the_organizations if {
	decided(ask_in(apply, person, with_members({"batchTargets": 50}), {"rollouts": {"mostBatchPercent": 50}})).decision == "allow"
	decided(ask_in(apply, person, with_members({"batchTargets": 11}), {"rollouts": {"mostBatchPercent": 10}})).reasons == ["batch-too-large"]
}

test_one_at_a_time_is_never_too_large if decided(ask(apply, person, with_members({"targets": 3, "batchTargets": 1, "canaryTargets": 1}))).decision == "allow"

test_limit_holds_everywhere if {
	reasons(ask(apply, person, {"environment": "staging", "targets": 501})) == ["batch-over-limit"]
	decided(ask(apply, person, {"environment": "staging", "targets": 5000, "batchTargets": 500})).decision == "allow"
	decided(ask_in(apply, person, {"environment": "staging", "targets": 501}, {"rollouts": {"mostBatchTargets": 600}})).decision == "allow"
}

# Canary required

test_canary_missing if reasons(ask(apply, person, without("canaryTargets"))) == ["canary-missing"]

test_canary_of_none_is_none if reasons(ask(apply, person, with_members({"canaryTargets": 0}))) == ["canary-missing"]

test_canary_of_all_is_none if reasons(ask(apply, person, with_members({"canaryTargets": 90}))) == ["canary-too-large"]

test_single_target_needs_no_canary if {
	decided(ask(apply, person, {"environment": "production", "targets": 1, "batchTargets": 1, "rollbackCriteria": 1})).decision == "allow"
}

test_canary_from_is_the_organizations if decided(ask_in(apply, person, without("canaryTargets"), {"rollouts": {"canaryFrom": 200}})).decision == "allow"

test_staging_needs_no_canary if decided(ask(apply, person, {"environment": "staging", "targets": 100, "batchTargets": 100})).decision == "allow"

# Rollback criteria

test_criteria_missing if reasons(ask(apply, person, without("rollbackCriteria"))) == ["rollback-criteria-missing"]

test_no_criteria_are_none if reasons(ask(apply, person, with_members({"rollbackCriteria": 0}))) == ["rollback-criteria-missing"]

test_no_way_back_needs_two if {
	result := decided(ask(apply, person, with_members({"reversible": false, "rollbackCriteria": 0})))
	result.decision == "approve"
	result.reasons == ["irreversible-in-production"]
	result.approvers == [{"role": "admin", "count": 2}]
}

# What cannot be judged

test_numbers_that_are_none_denied if {
	every planned in [with_members({"targets": "many"}), with_members({"batchTargets": "all"}), with_members({"canaryTargets": -1}), with_members({"rollbackCriteria": "some"})] {
		"malformed-plan" in reasons(ask(apply, person, planned))
	}
}

test_denied_is_not_also_waited_for if {
	result := decided(ask(apply, agent, without("canaryTargets")))
	result.decision == "deny"
	result.approvers == []
	result.excluded == []
}

test_malformed_settings_denied if decided(ask_in(apply, person, good, {"rollouts": {"mostBatchPercent": "all"}})).reasons == ["malformed-input"]
