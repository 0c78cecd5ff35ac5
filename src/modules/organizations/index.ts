import type { Module } from "../../platform/operation/index.ts";
import * as events from "./events.ts";
import { acceptInvitation } from "./operations/accept-invitation.ts";
import { addMember } from "./operations/add-member.ts";
import { addPasskey } from "./operations/add-passkey.ts";
import { addTotp } from "./operations/add-totp.ts";
import { beginPasskey } from "./operations/begin-passkey.ts";
import { beginConfirmation, confirmSession, confirmWithPasskey } from "./operations/confirm-session.ts";
import { confirmTotp } from "./operations/confirm-totp.ts";
import { createApiKey } from "./operations/create-api-key.ts";
import { createApplication } from "./operations/create-application.ts";
import { createInvitation } from "./operations/create-invitation.ts";
import { createOrganization } from "./operations/create-organization.ts";
import { createServiceAccount } from "./operations/create-service-account.ts";
import { createSession } from "./operations/create-session.ts";
import { deleteOrganization } from "./operations/delete-organization.ts";
import { deleteApplication } from "./operations/delete-application.ts";
import { deleteSession } from "./operations/delete-session.ts";
import { disableUser, enableUser } from "./operations/disable-user.ts";
import { eraseUser } from "./operations/erase-user.ts";
import { exchangeToken } from "./operations/exchange-token.ts";
import { disableServiceAccount } from "./operations/disable-service-account.ts";
import { getOrganization } from "./operations/get-organization.ts";
import { getQuotas } from "./operations/get-quotas.ts";
import { getSettings } from "./operations/get-settings.ts";
import { leave } from "./operations/leave.ts";
import { listApplications } from "./operations/list-applications.ts";
import { listApiKeys } from "./operations/list-api-keys.ts";
import { listDeletions } from "./operations/list-deletions.ts";
import { listInvitations } from "./operations/list-invitations.ts";
import { listMembers } from "./operations/list-members.ts";
import { listServiceAccounts } from "./operations/list-service-accounts.ts";
import { listSecondFactors } from "./operations/list-second-factors.ts";
import { listSessions } from "./operations/list-sessions.ts";
import { listSettingsHistory } from "./operations/list-settings-history.ts";
import { lookUpInvitation } from "./operations/look-up-invitation.ts";
import { newRecoveryCodes } from "./operations/new-recovery-codes.ts";
import { removeMember } from "./operations/remove-member.ts";
import { removeSecondFactor } from "./operations/remove-second-factor.ts";
import { resetPassword } from "./operations/reset-password.ts";
import { resetSecondFactors } from "./operations/reset-second-factors.ts";
import { restoreOrganization } from "./operations/restore-organization.ts";
import { reviewAccess } from "./operations/review-access.ts";
import { rotateSignInKeys } from "./operations/rotate-sign-in-keys.ts";
import { revokeApiKey } from "./operations/revoke-api-key.ts";
import { revokeInvitation } from "./operations/revoke-invitation.ts";
import { setMemberRole } from "./operations/set-member-role.ts";
import { setPassword } from "./operations/set-password.ts";
import { setQuotas } from "./operations/set-quotas.ts";
import { setSettings } from "./operations/set-settings.ts";
import { signInOptions } from "./operations/sign-in-options.ts";
import { signUp } from "./operations/sign-up.ts";
import { transferOrganization } from "./operations/transfer-organization.ts";
import { updateOrganization } from "./operations/update-organization.ts";
import { lookUpPasswordReset, usePasswordReset } from "./operations/use-password-reset.ts";
import { whoAmI } from "./operations/whoami.ts";
import * as signInEvents from "./sign-in-events.ts";

export const organizations: Module = {
  name: "organizations",
  events: [...Object.values(events), ...Object.values(signInEvents)],
  operations: [
    createSession, exchangeToken, signInOptions, listSessions, deleteSession,
    confirmSession, beginConfirmation, confirmWithPasskey,
    listSecondFactors, addTotp, confirmTotp, beginPasskey, addPasskey, newRecoveryCodes, removeSecondFactor,
    resetPassword, lookUpPasswordReset, usePasswordReset, resetSecondFactors, disableUser, enableUser,
    whoAmI, setPassword,
    createOrganization, getOrganization, updateOrganization, transferOrganization, getSettings, setSettings, listSettingsHistory, getQuotas, setQuotas,
    deleteOrganization, restoreOrganization, listDeletions, eraseUser,
    listMembers, addMember, setMemberRole, removeMember, leave,
    createInvitation, listInvitations, revokeInvitation, lookUpInvitation, acceptInvitation, signUp,
    createServiceAccount, listServiceAccounts, disableServiceAccount,
    createApiKey, listApiKeys, revokeApiKey,
    createApplication, listApplications, deleteApplication, rotateSignInKeys,
    reviewAccess,
  ],
};

export { MemberNotFound } from "./errors.ts";
export { UserId } from "./ids.ts";
export { actorAgain } from "./actor-again.ts";
export { eligiblePersons, makerOfKey } from "./approver-views.ts";
export { createAuthentication, CsrfMissing } from "./authentication.ts";
export type { Authentication } from "./authentication.ts";
export { createIdentify } from "./external/identify.ts";
export { createSettleClaims } from "./external/settle.ts";
export type { IssuerRoles, SettleClaims } from "./external/settle.ts";
export { ensureFirstAdministrator, platformOrgId, unspentPassword } from "./first-administrator.ts";
export type { FirstAdministrator, FirstAdministratorPorts } from "./first-administrator.ts";
export { sweepProvider } from "./provider/sweep.ts";
export { createAdapter } from "./provider/adapter.ts";
export { browserClient, cliClient } from "./provider/clients.ts";
export type { DeviceAsked, PlatformSession, ProviderPages } from "./provider/configuration.ts";
export { createAccounts } from "./provider/accounts.ts";
export { createLocalSignIn } from "./provider/local-sign-in.ts";
export type { LocalSignIn } from "./provider/local-sign-in.ts";
export { createEmbeddedProvider } from "./provider/provider.ts";
export type { EmbeddedProvider, Interaction, Login } from "./provider/provider.ts";
export type { SecondFactors } from "./second-factor/index.ts";
export { createProviderKeys, providerAlgorithm } from "./provider/keys.ts";
export type { ProviderKeys } from "./provider/keys.ts";
export { eraseDue } from "./deletion/erase-due.ts";
export type { ErasurePorts, OnOrganizationEnded } from "./deletion/types.ts";
export { quotasOf } from "./quotas.ts";
export { relyingParty } from "./second-factor/relying-party.ts";
export { sealedColumns } from "./sealed-store.ts";
export { namedPermissions, permissionsOf, roles, roleTable } from "./roles.ts";
export type { Role, RoleRow } from "./roles.ts";
export { whoIs } from "./who-is.ts";
