/** Whether nobody would be left to administer the organization without this user. */
export function isLast(administrators: readonly string[], userId: string): boolean {
  return administrators.includes(userId) && administrators.length === 1;
}
