/** The same for both planners: the client's authorization goes on to subgraphs, as it does with every candidate. */
export const shared = {
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') ?? '' }),
  },
  landingPage: false,
  graphiql: false,
  logging: 'error',
}
