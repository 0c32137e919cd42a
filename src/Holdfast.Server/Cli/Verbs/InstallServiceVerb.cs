using System.Text;
using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>
/// <c>holdfast install-service</c>: writes the systemd unit that keeps work alive when the server is stopped, and says what to do with it.
/// </summary>
internal static class InstallServiceVerb
{
    private static readonly Option User = new("--user", "", "a unit of this user's own service manager, not of the system's");
    private static readonly Option Print = new("--print", "", "print the unit and write nothing");
    private static readonly Option Root = new("--root", "DIR", "the folder notebooks are served from (default: the current one)");
    private static readonly Option Port = new("--port", "N", "the port to listen at (default 8787)");

    public static Verb Verb =>
        new(
            "install-service",
            "install-service [--user] [--print] [--root DIR] [-- SERVE-OPTION...]",
            "install a systemd unit that starts the server and leaves its work alone when it stops"
        )
        {
            Options = [User, Print, Root, Port],
            Globals = [GlobalOptions.Data, GlobalOptions.Help],
            Operands = (0, null),
            Notes = """
                What follows -- goes to serve as it is: holdfast install-service -- --host 0.0.0.0 --tls-cert /etc/holdfast/cert.pem --tls-key /etc/holdfast/key.pem

                The unit has KillMode=process: stopping or restarting the service ends the server and nothing else. It becomes active when the server
                has recovered. An existing unit that is not the same is not overwritten.
                """,
            RunAsync = InstallAsync,
        };

    private static Task<int> InstallAsync(CliContext context, Arguments arguments)
    {
        bool isUsers = arguments.Has(User.Name);
        DataDirectoryPaths paths = DataDirectoryPaths.Resolve(arguments.Text(GlobalOptions.Data.Name), context.Environment);
        string root = Path.GetFullPath(arguments.Text(Root.Name) ?? ".", context.CurrentDirectory);
        // A unit that cannot start is found out now, not at the next reboot.
        ArgumentParser.Read(ServeVerb.Verb, arguments.Operands, 0, new Arguments());
        string unit = ServiceUnitText.Of(
            Program(context),
            paths.Root,
            root,
            arguments.Integer(Port.Name, 1, ushort.MaxValue),
            arguments.Operands,
            isUsers,
            isUsers ? null : Environment.UserName
        );
        if (arguments.Has(Print.Name))
        {
            context.Terminal.Write(Encoding.UTF8.GetBytes(unit));
            return Task.FromResult(ExitCodes.Success);
        }

        string folder = isUsers
            ? Path.Combine(
                context.Environment("XDG_CONFIG_HOME") is { Length: > 0 } config
                    ? config
                    : Path.Combine(context.Environment("HOME") ?? "/root", ".config"),
                "systemd",
                "user"
            )
            : "/etc/systemd/system";
        string path = Path.Combine(folder, "holdfast.service");
        Write(path, unit);
        string systemctl = isUsers ? "systemctl --user" : "systemctl";
        context.Terminal.WriteLine(
            $"Wrote {path}. Now:\n  {systemctl} daemon-reload\n  {systemctl} enable --now holdfast"
                + (isUsers ? "\n  loginctl enable-linger    # so that it goes on when you log out" : "")
        );
        return Task.FromResult(ExitCodes.Success);
    }

    /// <summary>By the link that it was called by: the upgrade points that to the next version, and the unit is to start it.</summary>
    private static string Program(CliContext context)
    {
        string program = context.Executable ?? Path.Combine(AppContext.BaseDirectory, "holdfast");
        return context.CalledAs() is { } called
            ? CalledProgram.Find(called, context.CurrentDirectory, context.Environment("PATH"), program)
            : program;
    }

    private static void Write(string path, string unit)
    {
        try
        {
            if (File.Exists(path) && File.ReadAllText(path) != unit)
            {
                throw new RefusedException(
                    ErrorCodes.InvalidRequest,
                    $"{path} is there already and says something else. Look at the new one with --print, and remove or edit the old one."
                );
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, unit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"{path} cannot be written: {e.Message} A unit of your own needs no rights: --user. Or take it from --print."
            );
        }
    }
}

/// <summary>The text of the unit. Every line that keeps work alive says why.</summary>
internal static class ServiceUnitText
{
    public static string Of(
        string program,
        string data,
        string root,
        long? port,
        IReadOnlyList<string> options,
        bool isUsers,
        string? user
    ) =>
        $"""
            [Unit]
            Description=Holdfast, an execution server that does not lose work
            After=network.target
            # However often it fails, it is tried again: nobody may be there to do it.
            StartLimitIntervalSec=0

            [Service]
            # Active means recovered: the server says so itself.
            Type=notify
            NotifyAccess=main
            ExecStart={Quote(program)} serve --data {Quote(data)} --root {Quote(root)}{(
                port is { } number ? $" --port {number}" : ""
            )}{string.Concat(options.Select(static o => " " + Quote(o)))}
            {(user is null ? "" : $"User={user}\n")}WorkingDirectory={root.Replace("%", "%%", StringComparison.Ordinal)}
            # Only the server is stopped. Jobs and kernels live on under their supervisors, and the next start takes them up again.
            KillMode=process
            # A job that runs out of memory is the job's affair.
            OOMPolicy=continue
            # Supervisors may make control groups of their own, for limits on memory.
            Delegate=yes
            DelegateSubgroup=server
            Restart=on-failure
            # At once, and ever less often when that does not help.
            RestartSec=250ms
            RestartSteps=8
            RestartMaxDelaySec=30s
            # A wrong command line does not become right by itself.
            RestartPreventExitStatus=2
            # Its listening socket outlives it here: clients that come back while it starts again wait a moment instead of being refused.
            FileDescriptorStoreMax=8
            # However much there is to recover, starting again would not make it less.
            TimeoutStartSec=infinity
            TimeoutStopSec=30
            LimitNOFILE=65536
            # Supervisors, jobs and kernels count as this unit's, too; the usual bound is a share of the machine's.
            TasksMax=infinity
            UMask=0077

            [Install]
            WantedBy={(isUsers ? "default.target" : "multi-user.target")}

            """;

    /// <summary>
    /// As systemd reads it: in double quotes, with backslash, quote, percent and dollar doubled or escaped (systemd.service(5),
    /// systemd.unit(5)).
    /// </summary>
    private static string Quote(string text) =>
        "\""
        + text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("%", "%%", StringComparison.Ordinal)
            .Replace("$", "$$", StringComparison.Ordinal)
        + "\"";
}
