package qinfra.request_test

import data.qinfra.request

operator := {
	"kind": "user",
	"id": "usr_1",
	"ai": false,
	"roles": ["operator"],
	"permissions": ["images:read", "images:write", "members:write", "organizations:write"],
	"orgId": "org_1",
	"platform": false,
}

platform_admin := object.union(operator, {"platform": true, "permissions": ["platform:feeds"]})

agent := object.union(operator, {"kind": "api-key", "ai": true})

anonymous := {"kind": "anonymous", "ai": false, "roles": [], "permissions": [], "platform": false}

read_images := {"id": "images.list", "effect": "read", "permission": "images:read"}

write_images := {"id": "images.create", "effect": "change", "permission": "images:write"}

import_feed := {"id": "vulnerabilities.import-feed", "effect": "change", "permission": "platform:feeds"}

invite := {"id": "organizations.add-member", "effect": "change", "permission": "members:write"}

sign_in := {"id": "sessions.create", "effect": "change", "permission": "public"}

who_am_i := {"id": "sessions.whoami", "effect": "read", "permission": "self"}

settings(changes) := {"id": "org_1", "settings": changes}

ask(operation, actor) := {"operation": operation, "actor": actor, "org": settings({}), "input": {}, "door": "http"}

ask_in(operation, actor, org) := object.union(ask(operation, actor), {"org": org})

test_permission_held if request.result == {"allow": true, "reasons": []} with input as ask(read_images, operator)

test_permission_missing if {
	actor := object.union(operator, {"permissions": ["images:read"]})
	request.result == {"allow": false, "reasons": ["permission-missing"]} with input as ask(write_images, actor)
}

test_wildcard_grants_its_area_only if {
	actor := object.union(operator, {"permissions": ["images:*"]})
	request.allow with input as ask(write_images, actor)
	not request.allow with input as ask(invite, actor)
}

test_wildcard_of_the_platform_needs_the_platform_organization if {
	actor := object.union(operator, {"permissions": ["platform:*"]})
	request.result.reasons == ["platform-only"] with input as ask(import_feed, actor)
}

test_anonymous_refused if {
	request.result == {"allow": false, "reasons": ["sign-in-required"]} with input as {"operation": read_images, "actor": anonymous}
}

test_anonymous_with_permissions_refused if {
	actor := object.union(anonymous, {"permissions": ["images:read"]})
	not request.allow with input as ask(read_images, actor)
}

test_public_for_anonymous if request.allow with input as {"operation": sign_in, "actor": anonymous}

test_public_for_user if request.allow with input as ask(sign_in, operator)

test_public_without_organization if request.allow with input as {"operation": sign_in, "actor": anonymous, "org": null}

test_self_for_user if request.allow with input as ask(who_am_i, operator)

test_self_for_anonymous_refused if {
	request.result.reasons == ["sign-in-required"] with input as {"operation": who_am_i, "actor": anonymous}
}

test_other_organization if {
	request.result.reasons == ["other-organization", "permission-missing"] with input as ask_in(
		read_images, operator,
		{"id": "org_2", "settings": {}},
	)
}

test_permission_without_organization_refused if {
	request.result.reasons == ["permission-missing"] with input as {"operation": read_images, "actor": operator}
}

test_platform_permission if request.allow with input as ask(import_feed, platform_admin)

test_platform_permission_outside_platform_organization if {
	actor := object.union(platform_admin, {"platform": false})
	request.result.reasons == ["platform-only"] with input as ask(import_feed, actor)
}

test_platform_permission_by_ai if {
	actor := object.union(platform_admin, {"ai": true})
	request.result.reasons == ["ai-platform-permission"] with input as ask(import_feed, actor)
}

test_ai_changes_as_its_person if request.allow with input as ask(write_images, agent)

test_ai_never_manages_identities if {
	request.result.reasons == ["ai-identity-permission"] with input as ask(invite, agent)
}

test_person_manages_identities if request.allow with input as ask(invite, operator)

admin := object.union(operator, {"roles": ["admin"], "secondFactor": false})

required := settings({"secondFactor": {"roles": ["admin"]}})

test_second_factor_required if {
	request.result == {"allow": false, "reasons": ["second-factor-required"]} with input as ask_in(read_images, admin, required)
	request.result.reasons == ["second-factor-required"] with input as ask_in(write_images, admin, required)
}

test_second_factor_given if {
	request.allow with input as ask_in(read_images, object.union(admin, {"secondFactor": true}), required)
}

test_second_factor_not_known_refused if {
	request.result.reasons == ["second-factor-required"] with input as ask_in(read_images, json.remove(admin, ["secondFactor"]), required)
}

test_second_factor_required_of_the_role_only if request.allow with input as ask_in(read_images, operator, required)

test_second_factor_not_required_without_setting if {
	request.allow with input as ask_in(read_images, admin, settings({"secondFactor": {"roles": []}}))
	request.allow with input as ask_in(read_images, admin, settings({}))
}

test_second_factor_can_be_added_without_one if {
	request.allow with input as ask_in(who_am_i, admin, required)
	request.allow with input as ask_in(sign_in, admin, required)
}

test_second_factor_not_asked_of_a_key if {
	key := object.union(admin, {"kind": "api-key", "id": "key_1", "actsFor": "usr_1"})
	request.allow with input as ask_in(read_images, key, required)
}

test_second_factor_asked_of_an_application if {
	application := object.union(admin, {"kind": "api-key", "ai": true})
	request.result.reasons == ["second-factor-required"] with input as ask_in(read_images, application, required)
	request.allow with input as ask_in(read_images, object.union(application, {"secondFactor": true}), required)
}

test_malformed_second_factor_setting_refused if {
	every wrong in ["admin", {"roles": "admin"}] {
		not request.allow with input as ask_in(read_images, admin, settings({"secondFactor": wrong}))
	}
}

test_read_only_refuses_change if {
	every effect in ["change", "destructive"] {
		operation := object.union(write_images, {"effect": effect})
		request.result.reasons == ["organization-read-only"] with input as ask_in(operation, operator, settings({"readOnly": true}))
	}
}

test_read_only_allows_read if request.allow with input as ask_in(read_images, operator, settings({"readOnly": true}))

test_read_only_can_be_lifted if {
	operation := {"id": "organizations.update", "effect": "change", "permission": "organizations:write"}
	request.allow with input as ask_in(operation, operator, settings({"readOnly": true}))
}

test_read_only_allows_sign_in if {
	request.allow with input as {"operation": sign_in, "actor": anonymous, "org": settings({"readOnly": true})}
}

test_empty_input_refused if request.result == {"allow": false, "reasons": ["malformed-input", "sign-in-required"]} with input as {}

test_missing_members_refused if {
	every path in ["operation/id", "operation/effect", "operation/permission", "actor/kind", "actor/ai", "actor/platform", "actor/permissions"] {
		not request.allow with input as json.remove(ask(read_images, operator), [path])
	}
}

test_unknown_effect_refused if {
	operation := object.union(read_images, {"effect": "write"})
	request.result.reasons == ["malformed-input"] with input as ask(operation, operator)
}

test_malformed_settings_refused if {
	every changes in [{"readOnly": "yes"}, {"requireApproval": "images.delete"}] {
		request.result.reasons == ["malformed-input"] with input as ask_in(read_images, operator, settings(changes))
	}
}

decide_on_approval := {"id": "approvals.approve", "effect": "change", "permission": "approvals:decide"}

# Who holds the permission, by a person's sign-in or by something else.
decider(changes) := object.union(admin, object.union({"permissions": ["approvals:decide"]}, changes))

test_person_decides_on_approval if request.allow with input as ask(decide_on_approval, decider({}))

test_program_decides_on_no_approval if {
	every changes in [{"kind": "api-key"}, {"kind": "system"}, {"ai": true}] {
		"person-required" in request.result.reasons with input as ask(decide_on_approval, decider(changes))
	}
}
