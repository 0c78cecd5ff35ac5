import { errorType } from "../../platform/errors.ts";

export const SignInFailed = errorType("sign-in-failed", 401, "Name and password do not belong together");
export const IdTokenRefused = errorType("id-token-refused", 401, "The ID token is not accepted here");
export const WrongPassword = errorType("wrong-password", 403, "The current password is not right");
export const PasswordUnchanged = errorType("password-unchanged", 400, "The new password is the old one");
export const PersonNeeded = errorType("person-needed", 403, "A person does this, not an API key");
export const OrganizationNotFound = errorType("organization-not-found", 404, "There is no such organization here");
export const SlugTaken = errorType("slug-taken", 409, "Another organization has this slug");
export const MemberNotFound = errorType("member-not-found", 404, "There is no such member here");
export const MemberExists = errorType("member-exists", 409, "This person is already a member");
export const NameTaken = errorType("name-taken", 409, "This login name is taken");
export const LastAdministrator = errorType("last-administrator", 409, "An organization keeps at least one administrator");
export const SessionNotFound = errorType("session-not-found", 404, "There is no such session of yours");
export const ApiKeyNotFound = errorType("api-key-not-found", 404, "There is no such API key here");
export const ApiKeyOfAnother = errorType("api-key-of-another", 403, "Another person made this API key");
export const ServiceAccountNotFound = errorType("service-account-not-found", 404, "There is no such service account here");
export const ScopeNotHeld = errorType("scope-not-held", 403, "A key cannot do more than the person who makes it");
export const RoleTooWide = errorType("role-too-wide", 403, "The role may do more than you may");
