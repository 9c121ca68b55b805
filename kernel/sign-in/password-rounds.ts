/** bcrypt's cost: 2^12 rounds. The sources ask for at least 10. Hashes of fewer are made anew when their owner signs in. */
export const passwordRounds = 12
