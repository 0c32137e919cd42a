using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// The time without a server, as one verb lives it. Only a verb that has spoken with the server and is patient sits it out: to whoever
/// never reached one, silence for minutes would be no answer.
/// </summary>
internal sealed class Outage(CliContext context)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private bool _hadContact;
    private bool _isAnnounced;
    private long _since;
    private TimeSpan _pause;

    public bool IsPatient { get; set; }

    public void Ended()
    {
        _hadContact = true;
        _pause = TimeSpan.Zero;
        if (_isAnnounced)
        {
            _isAnnounced = false;
            context.Terminal.WriteErrorLine("holdfast: the server is back");
        }
    }

    /// <summary>Waits a little; false when there is no point in trying again.</summary>
    public async Task<bool> EndureAsync(string why, CancellationToken cancellationToken)
    {
        if (!IsPatient || !_hadContact)
        {
            return false;
        }

        if (_pause == TimeSpan.Zero)
        {
            _since = context.Time.GetTimestamp();
            _pause = FirstPause;
        }
        else if (context.Time.GetElapsedTime(_since) > context.Patience)
        {
            return false;
        }

        // Said at the second try only: a server that is restarted in place is back before anyone would read it.
        if (!_isAnnounced && _pause > FirstPause)
        {
            _isAnnounced = true;
            context.Terminal.WriteErrorLine($"holdfast: the server is away ({why}); the work goes on, and this waits up to {Durations.Format(context.Patience)} for it to come back");
        }

        await Task.Delay(_pause, context.Time, cancellationToken).ConfigureAwait(false);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
        return true;
    }
}
