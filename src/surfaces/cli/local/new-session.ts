/** What the server answers when a session begins. */
export interface NewSession {
  token: string;
  expiresAt: string;
  mustChangePassword: boolean;
}
