using System.Net;
using System.Runtime.InteropServices;
using Holdfast.Engine;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Store;
using Holdfast.Server.Hosting.Tls;
using Holdfast.Server.Jupyter;
using Holdfast.Server.Metrics;
using Holdfast.Server.Rest;
using Holdfast.Server.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Holdfast.Server.Hosting;

/// <summary>
/// The life of a server: lock the data directory; listen, answering /healthz at once and 503 elsewhere; open the store and recover; serve;
/// on SIGTERM or SIGINT let requests finish, and leave kernels and jobs to their supervisors.
/// </summary>
public static partial class ServerHost
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Runs until stopped. Refused: data-directory-in-use, data-directory-not-writable, port-in-use, schema-too-new and the like.
    /// </summary>
    public static async Task<int> RunAsync(ServeOptions options, CancellationToken cancellationToken)
    {
        using DataDirectory directory = DataDirectory.Open(
            DataDirectoryPaths.Resolve(options.DataDirectory, Environment.GetEnvironmentVariable),
            Environment.GetEnvironmentVariable
        );
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var door = new EngineDoor { MessageBytesMax = options.MessageBytesMax, Stopping = stop.Token };
        using var meters = new MeterReader();
        using var process = new ProcessMeter(TimeProvider.System);
        await using OtlpExport? telemetry = OtlpExport.FromEnvironment(Environment.GetEnvironmentVariable, TimeProvider.System);
        var notice = new SystemdNotice(Environment.GetEnvironmentVariable(SystemdNotice.Variable));
        ListeningSockets sockets = ListeningSockets.FromEnvironment(notice);
        await using WebApplication app = Build(options, directory, door, sockets, meters, telemetry);
        using PosixSignalRegistration term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, stop));
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, stop));

        // Opening the store and starting to listen take about as long as each other, and neither needs the other.
        ILoggerFactory loggers = app.Services.GetRequiredService<ILoggerFactory>();
        Task<HoldfastEngine> opening = Task.Run(() => Open(options, directory, loggers), CancellationToken.None);
        try
        {
            await ListenAsync(app, options);
        }
        catch
        {
            await (await opening).DisposeAsync();
            throw;
        }

        await using HoldfastEngine engine = await opening;
        door.Open(engine);
        string url = app.Urls.First();
        TlsKeeper? tls = options.Tls is null ? null : app.Services.GetRequiredService<TlsKeeper>();
        (string, string)? files = options.Tls is { } given ? (given.Certificate, given.Key) : null;
        directory.Announce(url, ProductVersion.Current, tls?.Sha256, files);
        ILogger logger = loggers.CreateLogger("Holdfast.Server");
        if (tls is not null)
        {
            tls.Changed += sha256 => AnnounceAgain(directory, url, sha256, files, logger);
        }

        await SayAsync(
            options,
            $"Holdfast {ProductVersion.Current} listens on {url}\n  data  {directory.Paths.Root}\n  root  {options.Root}\n  token in {directory.Paths.Token}",
            () => Log.Listens(logger, ProductVersion.Current, url, directory.Paths.Root, options.Root)
        );
        if (tls is null && IPAddress.TryParse(options.Host, out IPAddress? address) && !IPAddress.IsLoopback(address))
        {
            Log.SpeaksInClear(logger);
        }

        sockets.LeaveWithManager();
        notice.Status("Recovering.");
        door.StopRequested = stop.Cancel;
        if (await RecoverAsync(engine, stop.Token))
        {
            door.IsReady = true;
            notice.Ready($"Serving on {url}.");
            await WaitAsync(stop.Token);
        }

        notice.Stopping("Letting requests finish; jobs and kernels live on.");
        door.IsReady = false;
        File.Delete(directory.Paths.ServerRecord);
        using var drain = new CancellationTokenSource(DrainTimeout, TimeProvider.System);
        await app.StopAsync(drain.Token);
        int kernels = engine.Live.All.Count(static live => live.Attempt.KernelId is not null);
        int jobs = engine.Live.All.Count - kernels;
        await SayAsync(
            options,
            jobs + kernels == 0
                ? "Stopped."
                : $"Stopped. {Count(jobs, "job")} and {Count(kernels, "kernel")} live on; the next start takes them up again.",
            () => Log.Stopped(logger, jobs, kernels)
        );
        return 0;
    }

    /// <summary>
    /// So that our own command line knows the server by its new certificate; whoever shakes hands just then is not to suffer by it.
    /// </summary>
    private static void AnnounceAgain(DataDirectory directory, string url, string sha256, (string, string)? files, ILogger logger)
    {
        try
        {
            directory.Announce(url, ProductVersion.Current, sha256, files);
        }
        catch (DataDirectoryException e)
        {
            Log.NotAnnounced(logger, e.Message);
        }
    }

    /// <summary>False when it was asked to stop before that was done: the next start finishes it.</summary>
    private static async Task<bool> RecoverAsync(HoldfastEngine engine, CancellationToken stop)
    {
        try
        {
            await engine.RecoverAsync(stop);
            return true;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private static HoldfastEngine Open(ServeOptions options, DataDirectory directory, ILoggerFactory loggers)
    {
        var jobs = new JobOptions();
        return new HoldfastEngine(
            directory,
            new EngineOptions
            {
                Root = Path.GetFullPath(options.Root),
                Contents = new ContentsOptions { AllowsHidden = options.AllowsHidden },
                SupervisorPath = Path.Combine(AppContext.BaseDirectory, "holdfast-supervisor"),
                Kernels = options.Kernels,
                Callbacks = options.Callbacks,
                Retention = options.Retention,
                Assets = options.Assets,
                Jobs = options.Slots is { } slots ? jobs with { Slots = slots, WarmSupervisors = slots } : jobs,
            },
            TimeProvider.System,
            loggers
        );
    }

    private static WebApplication Build(
        ServeOptions options,
        DataDirectory directory,
        EngineDoor door,
        ListeningSockets sockets,
        MeterReader meters,
        OtlpExport? telemetry
    )
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory }
        );
        builder.WebHost.UseKestrelCore();

        // The pool's thread that read a request goes on with it, and the one that answers sends. Else each is handed to another thread,
        // twice, and on a small machine most of a cell's way in is waking them.
        builder.WebHost.UseSockets(transport =>
            (transport.UnsafePreferInlineScheduling, transport.CreateBoundListenSocket) = (true, sockets.Bind)
        );
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // RestBody limits it and lets the rest be drained; Kestrel's own limit resets the connection, and the 413 is never heard.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinResponseDataRate = null; // A follower may stand still for hours; the journal is its buffer.
            if (IPAddress.TryParse(options.Host, out IPAddress? address))
            {
                kestrel.Listen(address, options.Port, listen => Secure(listen, options));
            }
            else
            {
                kestrel.ListenLocalhost(options.Port, listen => Secure(listen, options));
            }
        });
        builder.Services.AddRoutingCore();
        if (options.Tls is { } files)
        {
            builder.Services.AddSingleton(services => new TlsKeeper(
                files,
                TimeProvider.System,
                services.GetRequiredService<ILoggerFactory>().CreateLogger<TlsKeeper>()
            ));
        }

        ConsoleLogs.Add(builder.Logging, options.LogFormat);
        if (telemetry is not null)
        {
            builder.Logging.AddProvider(telemetry);
        }

        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        // A start that fails is told in a sentence, by whoever called for it.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        WebApplication app = builder.Build();
        _ = options.Tls is null ? null : app.Services.GetRequiredService<TlsKeeper>(); // Bad files are refused before anything is opened.
        if (telemetry is not null)
        {
            app.Use(RequestSpans.Wrap);
        }

        app.Use(
            new Gate(
                directory.Token,
                options.Host,
                options.AllowedOrigins,
                door,
                TimeProvider.System,
                app.Services.GetRequiredService<ILoggerFactory>().CreateLogger<Gate>()
            ).Wrap
        );
        app.UseWebSockets();
        app.UseRouting();
        RestDoor.Map(app, door);
        JupyterDoor.Map(app, door);
        MetricsEndpoint.Map(app, meters);
        return app;
    }

    private static void Secure(ListenOptions listen, ServeOptions options)
    {
        if (options.Tls is not null)
        {
            TlsKeeper keeper = listen.ApplicationServices.GetRequiredService<TlsKeeper>();
            listen.Protocols = HttpProtocols.Http1; // WebSockets are what the doors are built on, and begin with HTTP/1.1.
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(keeper.Options()) });
        }
    }

    private static async Task ListenAsync(WebApplication app, ServeOptions options)
    {
        try
        {
            await app.StartAsync();
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new RefusedException(
                ErrorCodes.PortInUse,
                $"Port {options.Port} of {options.Host} is in use by another program. Give another with --port, or --port 0 for any free one."
            );
        }
    }

    private static void Stop(PosixSignalContext context, CancellationTokenSource stop)
    {
        // The second one is not held back: it ends the process at once, which does the work no harm.
        context.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    }

    private static async Task WaitAsync(CancellationToken stop)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }
        catch (OperationCanceledException)
        {
            // The signal to stop.
        }
    }

    private static string Count(int count, string one) => $"{count} {one}{(count == 1 ? "" : "s")}";

    /// <summary>To people in sentences, to a collector as a record like any other.</summary>
    private static async Task SayAsync(ServeOptions options, string sentence, Action log)
    {
        if (options.LogFormat == ConsoleLogs.Text)
        {
            await Console.Error.WriteLineAsync(sentence);
        }
        else
        {
            log();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            ServerEventIds.Listens,
            LogLevel.Information,
            "Holdfast {Version} listens on {Url}; data directory {DataDirectory}, root {Root}."
        )]
        public static partial void Listens(ILogger logger, string version, string url, string dataDirectory, string root);

        [LoggerMessage(
            ServerEventIds.NotAnnounced,
            LogLevel.Warning,
            "The new certificate could not be written to server.json: the command line on this machine takes the server for another. {Why}"
        )]
        public static partial void NotAnnounced(ILogger logger, string why);

        [LoggerMessage(
            ServerEventIds.SpeaksInClear,
            LogLevel.Warning,
            "Tokens and work cross the network in clear. Give --tls-cert and --tls-key, or let only a proxy with TLS reach this server."
        )]
        public static partial void SpeaksInClear(ILogger logger);

        [LoggerMessage(
            ServerEventIds.Stopped,
            LogLevel.Information,
            "Stopped. Jobs that live on: {Jobs}; kernels: {Kernels}. The next start takes them up again."
        )]
        public static partial void Stopped(ILogger logger, int jobs, int kernels);
    }
}
