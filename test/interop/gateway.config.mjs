// How Hive Gateway serves our supergraph: it passes the token of the client on to whoever signs the viewer.
export const gatewayConfig = {
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') ?? '' }),
  },
}
