using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>Every verb. One is built only when it is asked for; all of them only for the help.</summary>
internal static class VerbList
{
    private static readonly (string Name, Func<Verb> Make)[] Makers =
    [
        ("serve", () => ServeVerb.Verb),
        ("run", () => RunVerb.Verb),
        ("submit", () => SubmitVerb.Verb),
        ("ls", () => ListVerb.Verb),
        ("status", () => StatusVerb.Verb),
        ("wait", () => WaitVerb.Verb),
        ("logs", () => LogsVerb.Verb),
        ("attach", () => AttachVerb.Verb),
        ("cancel", () => ControlVerb.Cancel),
        ("pause", () => ControlVerb.Pause),
        ("resume", () => ControlVerb.Resume),
        ("retry", () => ControlVerb.Retry),
        ("stdin", () => StandardInputVerb.Verb),
        ("notebook", () => NotebookVerb.Verb),
        ("kernels", () => KernelsVerb.Verb),
        ("locks", () => LocksVerb.Verb),
        ("supervisors", () => SupervisorsVerb.Verb),
        ("callbacks", () => CallbacksVerb.Verb),
        ("assets", () => AssetsVerb.Verb),
        ("recovery", () => RecoveryVerb.Verb),
        ("token", () => TokenVerb.Verb),
        ("tokens", () => TokensVerb.Verb),
        ("audit", () => AuditVerb.Verb),
        ("feed", () => FeedVerb.Verb),
        ("statistics", () => StatisticsVerb.Verb),
        ("retention", () => RetentionVerb.Verb),
        ("doctor", () => DoctorVerb.Verb),
        ("stop", () => StopVerb.Verb),
        ("install-service", () => InstallServiceVerb.Verb),
        ("version", () => VersionVerb.Verb),
    ];

    public static IReadOnlyList<Verb> All => [.. Makers.Select(m => m.Make())];

    public static Verb? Find(string name)
    {
        foreach ((string candidate, Func<Verb> make) in Makers)
        {
            if (candidate == name)
            {
                return make();
            }
        }

        return null;
    }
}
