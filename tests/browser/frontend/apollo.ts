import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { sessionHeaders } from "./session";

const session = new SetContextLink(async ({ headers }) => ({
  headers: { ...headers, ...(await sessionHeaders()) },
}));

export const client = new ApolloClient({
  link: session.concat(new HttpLink({ uri: "/graphql" })),
  cache: new InMemoryCache(),
});
