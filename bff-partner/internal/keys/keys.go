// Package keys is the command line by which an operator makes, looks at and revokes the API keys of partners.
package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bff.internal/shared/apikey"
	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
)

// within bounds what a command does in Redis.
const within = 5 * time.Second

// Command returns the command "keys". The scopes are those that a key can have.
func Command(scopes []string) *cobra.Command {
	keys := &cobra.Command{
		Use:   "keys",
		Short: "make, list, show and revoke the API keys of partners",
		Long: `Makes, lists, shows and revokes the API keys of partners, in the Redis that REDIS_URL names.
What is done here holds for the next request at every replica; nothing has to be restarted.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	keys.AddCommand(create(scopes), list(), show(), revoke())
	return keys
}

// redisConfig is what every one of the commands needs.
type redisConfig struct {
	URL secret.String `env:"REDIS_URL,required" help:"the Redis of bff-partner; see bff-partner --help"`
}

// withStore calls f with the keys in the Redis of the environment.
func withStore(ctx context.Context, url secret.String, f func(ctx context.Context, store *apikey.Store) error) error {
	client, err := platform.OpenRedis(url)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err = f(ctx, apikey.NewStore(client))
	if _, invalid := errors.AsType[*apikey.InvalidError](err); invalid {
		return platform.Misuse(err)
	}
	if err == nil || errors.Is(err, apikey.ErrUnknown) {
		return err
	}
	return fmt.Errorf("the Redis of REDIS_URL does not do what it is asked: %w", err)
}

func create(scopes []string) *cobra.Command {
	var (
		out     output
		request apikey.Request
		expires string
	)
	c := &cobra.Command{
		Use:   "create --partner ID",
		Short: "make a key and print it, this once",
		Long: `Makes a key and prints it. This is the only time: what is stored is not the key but an HMAC of it under
KEY_PEPPER, which has to be that of the servers.`,
		Example: `  bff-partner keys create --partner acme
  bff-partner keys create --partner acme --expires 90d --note "staging" --output json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var cfg struct {
				Redis redisConfig
				Keys  apikey.Config
			}
			if err := platform.Environment(&cfg); err != nil {
				return err
			}
			if err := checkScopes(request.Scopes, scopes); err != nil {
				return platform.Misuse(err)
			}
			var err error
			if request.Expires, err = parseExpiry(expires, time.Now()); err != nil {
				return platform.Misuse(err)
			}
			var (
				key  secret.String
				info apikey.Info
			)
			err = withStore(c.Context(), cfg.Redis.URL, func(ctx context.Context, store *apikey.Store) (err error) {
				key, info, err = store.Create(ctx, cfg.Keys, request)
				return err
			})
			if err != nil {
				return err
			}
			if err := out.created(c.OutOrStdout(), key, info); err != nil {
				return fmt.Errorf("the key %s was made and could not be printed, so revoke it: %w", info.ID, err)
			}
			return nil
		},
	}
	flags := c.Flags()
	flags.StringVar(&request.Partner, "partner", "", "whose key it is: the id that the services know the partner by")
	flags.StringSliceVar(&request.Scopes, "scope", scopes, "what the key may do, several times or separated by commas")
	flags.StringVar(&expires, "expires", "never", "when it ends: never, in so many days such as 90d, a duration such as 12h, a day such as 2027-06-30 (its end, UTC), or a time of RFC 3339")
	flags.StringVar(&request.Note, "note", "", "what to remember about it, at most 200 characters")
	out.flag(c)
	_ = c.MarkFlagRequired("partner") // it exists
	_ = c.RegisterFlagCompletionFunc("scope", cobra.FixedCompletions(scopes, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// checkScopes refuses a scope that no route asks for.
func checkScopes(wanted, scopes []string) error {
	for _, scope := range wanted {
		if !slices.Contains(scopes, scope) {
			return fmt.Errorf("there is no scope %q; there is %s", scope, strings.Join(scopes, ", "))
		}
	}
	return nil
}

func list() *cobra.Command {
	var (
		out     output
		partner string
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "list the keys, the oldest first",
		Long:  "Lists the keys, the oldest first. One that has expired or been revoked is listed for 30 days more.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var cfg redisConfig
			if err := platform.Environment(&cfg); err != nil {
				return err
			}
			var infos []apikey.Info
			err := withStore(c.Context(), cfg.URL, func(ctx context.Context, store *apikey.Store) (err error) {
				infos, err = store.List(ctx)
				return err
			})
			if err != nil {
				return err
			}
			if partner != "" {
				infos = slices.DeleteFunc(infos, func(info apikey.Info) bool { return info.Partner != partner })
			}
			return out.list(c.OutOrStdout(), infos, partner)
		},
	}
	c.Flags().StringVar(&partner, "partner", "", "only the keys of this partner")
	out.flag(c)
	return c
}

func show() *cobra.Command {
	return ofOne("show ID", "show one key", (*apikey.Store).Get)
}

func revoke() *cobra.Command {
	return ofOne("revoke ID", "revoke a key, for the next request already", (*apikey.Store).Revoke)
}

// ofOne returns a command about one key.
func ofOne(usage, summary string, do func(*apikey.Store, context.Context, string) (apikey.Info, error)) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   usage,
		Short: summary,
		Long:  "ID is the 12 characters that keys list shows, pk_ and these, or the whole key. This is to " + summary + ".",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, ok := apikey.ParseID(args[0])
			if !ok {
				return platform.Misuse(errors.New("that is no id of a key; wants the 12 characters that keys list shows, or pk_ and these"))
			}
			var cfg redisConfig
			if err := platform.Environment(&cfg); err != nil {
				return err
			}
			var info apikey.Info
			err := withStore(c.Context(), cfg.URL, func(ctx context.Context, store *apikey.Store) (err error) {
				info, err = do(store, ctx, id)
				return err
			})
			if errors.Is(err, apikey.ErrUnknown) {
				return fmt.Errorf("%s: %w", id, err)
			}
			if err != nil {
				return err
			}
			return out.one(c.OutOrStdout(), info)
		},
	}
	out.flag(c)
	return c
}
